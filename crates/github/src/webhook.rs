//! From a delivery's body to events of the log.
//!
//! Design §3.2 says what is appended: what moves a deployment, and nothing of ordinary CI. Everything that GitHub may
//! send is taken: unknown events are dropped, unknown fields and words pass. Only a body that cannot be what its event
//! name says is an error.

mod actions;
mod app;
mod body;
mod code;
mod talk;

use crate::object::{self, MissingField, Object};
use body::Payload;
use stackwave_domain::{
    DeliveryId, Event, InstallationId,
    event::{RepositoryRef, Source},
};

/// Every event that is read; the rest is dropped.
pub const EVENTS: &[&str] = &[
    "check_run",
    "installation",
    "installation_repositories",
    "issue_comment",
    "merge_group",
    "ping",
    "pull_request",
    "push",
    "release",
    "workflow_dispatch",
    "workflow_job",
    "workflow_run",
];

/// What a delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The repository that it names.
    pub repository: Option<RepositoryRef>,
    /// The installation that it names.
    pub installation: Option<InstallationId>,
    /// What is appended; empty when it is dropped.
    pub events: Vec<Event>,
    /// Where it goes.
    pub disposition: Disposition,
}

/// What happens with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Appended to the repository that it names, which is there.
    Repository,
    /// Appended to the configuration stream.
    Configuration,
    /// Counted and dropped.
    Drop {
        /// Why, in words that are few enough to count by.
        why: &'static str,
    },
}

/// A body that cannot be what its event name says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A form without its one field.
    #[error("the form has no field `payload`: set the webhook's content type to `application/json`")]
    NoPayloadField,
    /// Not JSON.
    #[error("the payload is not JSON: {0}")]
    NotJson(String),
    /// JSON, but no object.
    #[error("the payload is JSON, but not an object")]
    NotAnObject,
    /// It lacks what the event is about.
    #[error("the `{event}` event cannot be read: {field}")]
    Missing {
        /// GitHub's name of the event.
        event: String,
        /// What it lacks.
        #[source]
        field: MissingField,
    },
}

/// Who we are at GitHub: what tells our own comments and check runs from those of others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// The App's numeric id, when it is known.
    pub app: Option<u64>,
    /// The App's client id (`Iv23…`), when it is known.
    pub client_id: Option<String>,
}

impl Own {
    /// The App as an operator names it: by its numeric id, or by its client id.
    #[must_use]
    pub fn new(app: Option<&str>) -> Self {
        let Some(text) = app.map(str::trim).filter(|text| !text.is_empty()) else { return Self::default() };
        text.parse().map_or_else(
            |_| Self { app: None, client_id: Some(text.to_owned()) },
            |id| Self { app: Some(id), client_id: None },
        )
    }

    /// Whether the App that an object describes at `path` is we. `None`: it, or who we are, cannot be told.
    fn is(&self, object: &Object<'_>, path: &str) -> Option<bool> {
        let by_id = self.app.zip(object.number(&format!("{path}.id"))).map(|(own, app)| own == app);
        by_id.or_else(|| {
            let client_id = object.text(&format!("{path}.client_id"));
            self.client_id.as_deref().zip(client_id).map(|(own, app)| own == app)
        })
    }
}

/// Reads a delivery for an App whose id is not known. See [`parse_as`].
///
/// # Errors
/// See [`ParseError`].
pub fn parse(
    event: &str,
    delivery: &DeliveryId,
    body: &[u8],
    content_type: Option<&str>,
) -> Result<Webhook, ParseError> {
    parse_as(&Own::default(), event, delivery, body, content_type)
}

/// Reads a delivery: `event` and `delivery` are the headers `X-GitHub-Event` and `X-GitHub-Delivery`. The body is JSON,
/// or a form with the JSON in its field `payload`.
///
/// # Errors
/// See [`ParseError`].
pub fn parse_as(
    own: &Own,
    event: &str,
    delivery: &DeliveryId,
    body: &[u8],
    content_type: Option<&str>,
) -> Result<Webhook, ParseError> {
    let json = body::json(body, content_type)?;
    let payload = Payload::parse(&json)?;
    let repository = object::repository(&payload.part("repository"));
    let installation = payload.part("installation");
    let installation = Object::new("installation", &installation).number("id").map(InstallationId);

    // Seen in the field of the events of Actions: GitHub sends them without what they are about. Nothing can be learned
    // from that, and nothing is wrong with us, so it must not count as a failed delivery.
    if matches!(event, "workflow_run" | "workflow_job") && payload.is_null(event) {
        let disposition = Disposition::Drop { why: "what it is about is null" };
        return Ok(Webhook { repository, installation, events: Vec::new(), disposition });
    }

    let delivery = Delivery { own, payload: &payload, repository: repository.as_ref(), delivery };
    let missing = |field| ParseError::Missing { event: event.to_owned(), field };
    let (events, disposition) = match delivery.read(event).map_err(missing)? {
        Outcome::Repository(_) if repository.is_none() => {
            return Err(missing(MissingField("repository.id".to_owned())));
        }
        Outcome::Repository(event) => (vec![event], Disposition::Repository),
        Outcome::Configuration(event) => (vec![event], Disposition::Configuration),
        Outcome::Drop(why) => (Vec::new(), Disposition::Drop { why }),
    };
    Ok(Webhook { repository, installation, events, disposition })
}

/// What one kind of event comes to.
enum Outcome {
    Repository(Event),
    Configuration(Event),
    Drop(&'static str),
}

type Read = Result<Outcome, MissingField>;

/// A delivery while it is read.
struct Delivery<'a> {
    own: &'a Own,
    payload: &'a Payload<'a>,
    repository: Option<&'a RepositoryRef>,
    delivery: &'a DeliveryId,
}

impl Delivery<'_> {
    fn read(&self, event: &str) -> Read {
        match event {
            "workflow_run" => self.workflow_run(),
            "workflow_job" => self.workflow_job(),
            "workflow_dispatch" => self.workflow_dispatch(),
            "pull_request" => self.pull_request(),
            "push" => self.push(),
            "merge_group" => self.merge_group(),
            "release" => self.release(),
            "check_run" => self.check_run(),
            "issue_comment" => self.issue_comment(),
            "installation" => self.installation(),
            "installation_repositories" => self.installation_repositories(),
            "ping" => self.ping(),
            _ => Ok(Outcome::Drop("an event that is not used")),
        }
    }

    fn source(&self) -> Source {
        Source::Webhook { delivery: self.delivery.clone() }
    }

    fn action(&self) -> Option<String> {
        self.text("action")
    }

    fn need_action(&self) -> Result<String, MissingField> {
        self.need_text("action")
    }

    fn text(&self, key: &str) -> Option<String> {
        self.payload.part(key).as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn need_text(&self, key: &str) -> Result<String, MissingField> {
        self.text(key).ok_or_else(|| MissingField(key.to_owned()))
    }

    fn sender(&self) -> Option<String> {
        Object::new("sender", &self.payload.part("sender")).text("login").map(str::to_owned)
    }
}
