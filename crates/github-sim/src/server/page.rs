//! Pages of a list, and the `Link` header between them.

use super::call::Call;
use crate::urls::Urls;

/// Which part of a list is asked for: 30 a page unless told otherwise, 100 at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    number: usize,
    size: usize,
}

impl Page {
    pub(crate) fn of(call: &Call) -> Self {
        let number = |name| call.parameter(name).and_then(|text| text.parse::<usize>().ok());
        Self {
            number: number("page").unwrap_or(1).max(1),
            size: number("per_page").unwrap_or(30).clamp(1, 100),
        }
    }

    /// This page of the items.
    pub(crate) fn cut<T>(self, items: impl Iterator<Item = T>) -> Vec<T> {
        items.skip(self.first()).take(self.size).collect()
    }

    /// Links to the other pages of a list of so many items; `None` when there is one page only.
    pub(crate) fn link(self, urls: &Urls, call: &Call, total: usize) -> Option<String> {
        let last = total.div_ceil(self.size).max(1);
        let to = |rel: &str, page: usize| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(call.query.iter().filter(|(name, _)| name != "page"));
            query.append_pair("page", &page.to_string());
            format!("<{}{}?{}>; rel=\"{rel}\"", urls.rest, call.path, query.finish())
        };
        let mut links = Vec::new();
        if self.number > 1 {
            links.push(to("prev", self.number - 1));
        }
        if self.number < last {
            links.push(to("next", self.number + 1));
            links.push(to("last", last));
        }
        if self.number > 1 {
            links.push(to("first", 1));
        }
        (!links.is_empty()).then(|| links.join(", "))
    }

    fn first(self) -> usize {
        (self.number - 1).saturating_mul(self.size)
    }
}
