//! Two lists of decisions, as `diff` compares lines.

use super::{Change, Side};

/// Above so many comparisons lists are held against each other place by place.
const MOST: usize = 4_000_000;

pub(super) fn changes(a: &[String], b: &[String]) -> Vec<Change> {
    let same = a.iter().zip(b).take_while(|(one, other)| one == other).count();
    let (rest_a, rest_b) = (&a[same..], &b[same..]);
    let kept = if rest_a.len().saturating_mul(rest_b.len()) > MOST {
        rest_a.iter().zip(rest_b).enumerate().filter(|(_, (a, b))| a == b).map(|(i, _)| (i, i)).collect()
    } else {
        common(rest_a, rest_b)
    };
    let mut changes = Vec::new();
    let only = |list: &[String], only_in, kept: &dyn Fn(usize) -> bool| {
        let missing = list.iter().enumerate().filter(|(index, _)| !kept(*index));
        missing
            .map(|(index, decision)| Change::Decision {
                decision: decision.clone(),
                only_in,
                place: same + index + 1,
            })
            .collect::<Vec<_>>()
    };
    changes.extend(only(rest_a, Side::A, &|index| kept.iter().any(|(a, _)| *a == index)));
    changes.extend(only(rest_b, Side::B, &|index| kept.iter().any(|(_, b)| *b == index)));
    changes
}

/// The places of a longest common subsequence.
fn common(a: &[String], b: &[String]) -> Vec<(usize, usize)> {
    let mut longest = vec![vec![0u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i][j] = if a[i] == b[j] {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut places = Vec::new();
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            places.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(a: &[&str], b: &[&str]) -> Vec<(String, Side, usize)> {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let changes = changes(&texts(a), &texts(b)).into_iter();
        changes
            .filter_map(|change| match change {
                Change::Decision { decision, only_in, place } => Some((decision, only_in, place)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn what_one_has_and_the_other_has_not_is_told_with_its_place() {
        let expected = vec![("c".to_owned(), Side::A, 3), ("x".to_owned(), Side::B, 2)];
        assert_eq!(told(&["a", "b", "c"], &["a", "x", "b"]), expected);
        assert_eq!(told(&["a", "b"], &["a", "b"]), []);
    }
}
