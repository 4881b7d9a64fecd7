//! Answers and refusals, before they are HTTP.

use serde_json::json;

use crate::json::Json;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) content_type: &'static str,
    /// Value of `Link`.
    pub(crate) link: Option<String>,
    /// Value of `Location`.
    pub(crate) location: Option<String>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: Json) -> Self {
        Self {
            status,
            body: body.into_string(),
            content_type: "application/json; charset=utf-8",
            link: None,
            location: None,
        }
    }

    pub(crate) fn ok(body: Json) -> Self {
        Self::json(200, body)
    }

    pub(crate) fn raw(body: String) -> Self {
        let content_type = "application/vnd.github.raw+json; charset=utf-8";
        Self { status: 200, body, content_type, link: None, location: None }
    }

    pub(crate) fn no_content() -> Self {
        Self { status: 204, body: String::new(), ..Self::raw(String::new()) }
    }

    pub(crate) fn with_link(self, link: Option<String>) -> Self {
        Self { link, ..self }
    }

    pub(crate) fn moved(status: u16, location: String) -> Self {
        let body =
            json!({ "message": "Moved Permanently", "url": location, "documentation_url": DOCUMENTATION });
        Self { location: Some(location), ..Self::json(status, body.into()) }
    }
}

/// A refusal in GitHub's error form.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) message: String,
    /// Rows of `errors`.
    pub(crate) errors: Vec<Reason>,
    /// Value of `x-accepted-github-permissions`.
    pub(crate) wanted: Option<String>,
}

/// A row of `errors`.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    pub(crate) resource: &'static str,
    pub(crate) field: &'static str,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

pub(crate) const DOCUMENTATION: &str = "https://docs.github.com/rest";

impl ApiError {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), errors: Vec::new(), wanted: None }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    pub(crate) fn invalid(reason: Reason) -> Self {
        Self { errors: vec![reason], ..Self::new(422, "Validation Failed") }
    }

    pub(crate) fn not_permitted(permission: &str, level: &str) -> Self {
        Self {
            wanted: Some(format!("{permission}={level}")),
            ..Self::new(403, "Resource not accessible by integration")
        }
    }

    pub(crate) fn body(&self) -> String {
        let mut body = json!({
            "message": self.message,
            "documentation_url": DOCUMENTATION,
            "status": self.status.to_string(),
        });
        if !self.errors.is_empty() {
            let rows = self.errors.iter().map(|reason| {
                json!({ "resource": reason.resource, "field": reason.field, "code": reason.code, "message": reason.message })
            });
            body["errors"] = rows.collect();
        }
        body.to_string()
    }
}
