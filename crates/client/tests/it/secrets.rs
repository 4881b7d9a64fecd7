//! A secret is printed once, alone on its line of standard output, and never anywhere else.

use crate::{asking::ask, fake::Fake};

#[tokio::test]
async fn a_key_is_alone_on_standard_output_and_what_is_known_of_it_beside_it() {
    let fake = Fake::start().await;
    for (verb, secret, known) in [
        ("keys create ci", "swk_the_key_itself\n", "k-5e1b9a04"),
        ("tokens create alice --role viewer", "swt_the_token_itself\n", "t-77aa01"),
    ] {
        let printed = ask(&fake, verb).await;
        assert_eq!(printed.out, secret);
        assert!(printed.err.contains(known) && !printed.err.contains(secret.trim()), "{}", printed.err);
        let printed = ask(&fake, &format!("{verb} --quiet")).await;
        assert_eq!((printed.out.as_str(), printed.err.as_str()), (secret, ""));
    }
}

#[tokio::test]
async fn for_programs_it_stands_in_the_document() {
    let fake = Fake::start().await;
    let printed = ask(&fake, "keys create ci -o json").await;
    let document: serde_json::Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!(document["secret"], "swk_the_key_itself");
    assert_eq!(document["key"]["id"], "k-5e1b9a04");
    assert_eq!(printed.err, "");
}
