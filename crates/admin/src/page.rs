//! Where a page ends. Pages hang on a run's place, which never changes, and not on a count: what is opened meanwhile
//! comes before the first page.

use crate::filter::{Filter, invalid};
use stackwave_domain::{Position, RunId};
use tonic::Status;

/// A run's place among all runs. The greater, the newer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// When it was opened, in milliseconds since 1970.
    pub(crate) opened_ms: i64,
    /// The partition and the position in it.
    pub(crate) partition: String,
    pub(crate) position: Position,
    /// Several runs may be opened by one record.
    pub(crate) run: RunId,
}

/// How many characters of the filter's digest a token holds.
const DIGEST: usize = 8;

/// Names the last run of a page.
pub(crate) fn token(last: &Place, filter: &Filter) -> String {
    let Place { opened_ms, partition, position, run } = last;
    format!("1.{opened_ms}.{partition}.{position}.{}.{run}", filter.digest().prefix(DIGEST))
}

/// The place that a token names; none for the first page.
pub(crate) fn read(token: &str, filter: &Filter) -> Result<Option<Place>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let (place, digest) =
        parse(token).ok_or_else(|| invalid("page_token", "this server gave no such token"))?;
    if digest != filter.digest().prefix(DIGEST) {
        return Err(invalid("page_token", "it belongs to a listing with other filters"));
    }
    Ok(Some(place))
}

fn parse(token: &str) -> Option<(Place, &str)> {
    let mut parts = token.splitn(6, '.');
    let version = parts.next()?;
    let place = Place {
        opened_ms: parts.next()?.parse().ok()?,
        partition: parts.next()?.to_owned(),
        position: parts.next()?.parse().ok()?,
        run: RunId::new(""),
    };
    let (digest, run) = (parts.next()?, parts.next()?);
    (version == "1" && !run.is_empty()).then(|| (Place { run: RunId::new(run), ..place }, digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackwave_domain::{PrNumber, RepositoryName};

    fn any() -> Filter {
        Filter { repository: None, pull_request: None, status: None }
    }

    fn place() -> Place {
        Place {
            opened_ms: 17,
            partition: "SW_00".to_owned(),
            position: Position(3),
            run: RunId::new("pr7-opened-9f2c1d7-5e1b9a04c2d3"),
        }
    }

    #[test]
    fn a_token_reads_back_as_the_place_it_names() {
        assert_eq!(read(&token(&place(), &any()), &any()).unwrap(), Some(place()));
        assert_eq!(read("", &any()).unwrap(), None);
    }

    #[test]
    fn a_token_is_good_for_its_own_filters_only() {
        let upper = Filter { repository: Some(RepositoryName::new("Acme", "Infra")), ..any() };
        let lower = Filter { repository: Some(RepositoryName::new("acme", "infra")), ..any() };
        let other = Filter { pull_request: Some(PrNumber(7)), ..any() };
        assert!(read(&token(&place(), &upper), &lower).is_ok());
        let error = read(&token(&place(), &any()), &other).unwrap_err();
        assert!(error.message().contains("`page_token`"), "{error}");
    }

    #[test]
    fn a_made_up_token_is_refused() {
        for token in ["x", "1.2.3", "2.17.SW_00.3.abcd.run", "1.17.SW_00.x.abcd.run", "1.17.SW_00.3.abcd."] {
            assert_eq!(read(token, &any()).unwrap_err().code(), tonic::Code::InvalidArgument, "{token}");
        }
    }
}
