//! The body as a whole (contract §2.1, §3).

use super::{
    ParseError, conclude,
    entries::Walker,
    json::{Cursor, Kind, Value},
    limits::Limits,
    problem::{Problem, Problems},
    repository,
};
use stackwave_domain::{BatchId, CommitSha, Fragment, RepositoryName, event::Batch};

/// The longest `batch_id`, in bytes; Atmos sends a UUID.
const MAX_BATCH_ID_BYTES: usize = 128;

/// The longest `base_sha`, in bytes; any text may stand there, a commit id has 40 or 64.
const MAX_BASE_BYTES: usize = 128;

/// What one body says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The repository, as named or as its URL tells.
    pub repository: RepositoryName,
    /// The commit that it describes, in lower case.
    pub head_sha: CommitSha,
    /// The commit that it was compared with; may be empty.
    pub base_sha: CommitSha,
    /// Which chunk it is; none for a whole upload.
    pub batch: Option<Batch>,
    /// Stacks, edges and settings.
    pub fragment: Fragment,
    /// The body without the credentials that `repo_url` held; none when it held none.
    pub scrubbed: Option<String>,
}

/// The members of the body that are looked at, besides `stacks`.
#[derive(Default)]
struct Fields<'a> {
    head_sha: Option<Value<'a>>,
    base_sha: Option<Value<'a>>,
    /// Every one, since each may hold credentials; the last one counts.
    repo_urls: Vec<Value<'a>>,
    repo_owner: Option<Value<'a>>,
    repo_name: Option<Value<'a>>,
    batch_id: Option<Value<'a>>,
    batch_index: Option<Value<'a>>,
    batch_total: Option<Value<'a>>,
}

/// Reads the body of `POST /affected-stacks`.
///
/// # Errors
/// See [`ParseError`]; problems with fields are collected.
pub fn parse_upload(body: &[u8], limits: Limits) -> Result<Upload, ParseError> {
    let text = text(body)?;
    let mut problems = Problems::default();
    let upload = read_upload(text, limits, &mut problems);
    conclude(upload, problems)
}

/// Reads the affected stacks of an upload, or of what `atmos describe affected` prints (the bare array), and leaves
/// everything else in it alone.
///
/// # Errors
/// See [`ParseError`].
pub fn parse_affected(body: &[u8], limits: Limits) -> Result<Fragment, ParseError> {
    let text = text(body)?;
    let mut problems = Problems::default();
    let mut cursor = Cursor::new(text);
    let mut read = || -> Result<Fragment, ParseError> {
        if cursor.eat(b'[') {
            let mut walker = Walker::new(limits, "");
            walker.walk(&mut cursor, &mut problems)?;
            end(&mut cursor)?;
            return Ok(walker.finish());
        }
        Ok(read_body(&mut cursor, limits, &mut problems)?.1)
    };
    let fragment = read();
    conclude(fragment, problems)
}

fn text(body: &[u8]) -> Result<&str, ParseError> {
    std::str::from_utf8(body).map_err(|error| ParseError::Encoding { valid: error.valid_up_to() })
}

fn read_upload(text: &str, limits: Limits, problems: &mut Problems) -> Result<Upload, ParseError> {
    let (fields, fragment) = read_body(&mut Cursor::new(text), limits, problems)?;
    let head_sha = head_sha(&fields, problems)?;
    let base_sha = optional_text("base_sha", fields.base_sha, problems)?;
    if base_sha.len() > MAX_BASE_BYTES {
        problems.add(Problem::new("base_sha", "is no commit id"))?;
    }
    let repository = repository_name(&fields, problems)?;
    let batch = batch(&fields, limits, problems)?;
    let scrubbed = scrub(text, &fields.repo_urls)?;
    let (Some(head_sha), Some(repository)) = (head_sha, repository) else { return Err(ParseError::Enough) };
    Ok(Upload { repository, head_sha, base_sha: CommitSha::new(base_sha), batch, fragment, scrubbed })
}

/// Walks the body's members; the stacks are united on the way.
fn read_body<'a>(
    cursor: &mut Cursor<'a>,
    limits: Limits,
    problems: &mut Problems,
) -> Result<(Fields<'a>, Fragment), ParseError> {
    if !matches!(cursor.peek(), Some(b'{')) {
        let body = cursor.value()?;
        problems.add(Problem::new("", format!("must be an object, not {}", body.kind())))?;
        return Err(ParseError::Enough);
    }
    cursor.expect(b'{')?;
    let mut fields = Fields::default();
    let mut walker = None;
    let mut first = true;
    while !cursor.eat(b'}') {
        if !std::mem::take(&mut first) {
            cursor.expect(b',')?;
        }
        let name = cursor.key()?;
        if name == "stacks" && walker.is_some() {
            problems.add(Problem::new("stacks", "occurs twice"))?;
            cursor.value()?;
        } else if name == "stacks" {
            let walker = walker.insert(Walker::new(limits, "stacks"));
            if cursor.eat(b'[') {
                walker.walk(cursor, problems)?;
            } else {
                let kind = cursor.value()?.kind();
                problems.add(Problem::new("stacks", format!("must be an array, not {kind}")))?;
            }
        } else {
            let value = cursor.value()?;
            fields.keep(&name, value);
        }
    }
    end(cursor)?;
    let Some(walker) = walker else {
        problems.add(Problem::new("stacks", "is missing"))?;
        return Ok((fields, Fragment::default()));
    };
    Ok((fields, walker.finish()))
}

fn end(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    if cursor.peek().is_some() { Err(cursor.unexpected("the end of the body").into()) } else { Ok(()) }
}

impl<'a> Fields<'a> {
    fn keep(&mut self, name: &str, value: Value<'a>) {
        match name {
            "head_sha" => self.head_sha = Some(value),
            "base_sha" => self.base_sha = Some(value),
            "repo_url" => self.repo_urls.push(value),
            "repo_owner" => self.repo_owner = Some(value),
            "repo_name" => self.repo_name = Some(value),
            "batch_id" => self.batch_id = Some(value),
            "batch_index" => self.batch_index = Some(value),
            "batch_total" => self.batch_total = Some(value),
            _ => {}
        }
    }
}

fn head_sha(fields: &Fields<'_>, problems: &mut Problems) -> Result<Option<CommitSha>, ParseError> {
    let what = match fields.head_sha {
        None => "is missing".to_owned(),
        Some(value) => match value.string()? {
            None => format!("must be a string, not {}", value.kind()),
            Some(text) => {
                let sha = CommitSha::new(text.to_ascii_lowercase());
                if sha.is_full() {
                    return Ok(Some(sha));
                }
                "must be a full commit id of 40 hexadecimal digits".to_owned()
            }
        },
    };
    problems.add(Problem::new("head_sha", what))?;
    Ok(None)
}

/// The text of a string; empty when the field is absent or null.
fn optional_text(
    field: &str,
    value: Option<Value<'_>>,
    problems: &mut Problems,
) -> Result<String, ParseError> {
    let Some(value) = value.and_then(Value::non_null) else { return Ok(String::new()) };
    if let Some(text) = value.string()? {
        return Ok(text.into_owned());
    }
    problems.add(Problem::new(field, format!("must be a string, not {}", value.kind())))?;
    Ok(String::new())
}

/// Atmos leaves owner or name empty when it could not read the remote's URL.
fn repository_name(
    fields: &Fields<'_>,
    problems: &mut Problems,
) -> Result<Option<RepositoryName>, ParseError> {
    let owner = optional_text("repo_owner", fields.repo_owner, problems)?;
    let name = optional_text("repo_name", fields.repo_name, problems)?;
    let url = optional_text("repo_url", fields.repo_urls.last().copied(), problems)?;
    if !owner.is_empty() && !name.is_empty() {
        if let Some(repository) = repository::checked(&owner, &name) {
            return Ok(Some(repository));
        }
        let field = if repository::checked(&owner, "x").is_none() { "repo_owner" } else { "repo_name" };
        problems.add(Problem::new(field, "holds characters that no repository's name has"))?;
        return Ok(None);
    }
    let repository = repository::from_url(&url);
    if repository.is_none() {
        // The URL itself stays out of the message: it may hold a token.
        let what = "names no repository (`https://<host>/<owner>/<name>` or `git@<host>:<owner>/<name>`), and \
                    `repo_owner` or `repo_name` is empty";
        problems.add(Problem::new("repo_url", what))?;
    }
    Ok(repository)
}

fn batch(fields: &Fields<'_>, limits: Limits, problems: &mut Problems) -> Result<Option<Batch>, ParseError> {
    let id = fields.batch_id.and_then(Value::non_null);
    let index = fields.batch_index.and_then(Value::non_null);
    let total = fields.batch_total.and_then(Value::non_null);
    if id.is_none() && index.is_none() && total.is_none() {
        return Ok(None);
    }
    for (field, value) in [("batch_id", id), ("batch_index", index), ("batch_total", total)] {
        if value.is_none() {
            let what = "is missing: a chunk has `batch_id`, `batch_index` and `batch_total`";
            problems.add(Problem::new(field, what))?;
        }
    }
    let (Some(id), Some(index), Some(total)) = (id, index, total) else { return Ok(None) };
    let id = match id.string()? {
        None => {
            problems.add(Problem::new("batch_id", format!("must be a string, not {}", id.kind())))?;
            return Ok(None);
        }
        Some(text) if text.is_empty() || text.len() > MAX_BATCH_ID_BYTES => {
            let what = format!("must have 1 to {MAX_BATCH_ID_BYTES} bytes");
            problems.add(Problem::new("batch_id", what))?;
            return Ok(None);
        }
        Some(text) => BatchId::new(text),
    };
    let total = whole_number("batch_total", total, 1..=limits.chunks, problems)?;
    let last = total.unwrap_or(limits.chunks).saturating_sub(1);
    let index = whole_number("batch_index", index, 0..=last, problems)?;
    let (Some(index), Some(total)) = (index, total) else { return Ok(None) };
    Ok(Some(Batch { id, index, total }))
}

fn whole_number(
    field: &str,
    value: Value<'_>,
    range: std::ops::RangeInclusive<u32>,
    problems: &mut Problems,
) -> Result<Option<u32>, ParseError> {
    if value.kind() == Kind::Number
        && let Ok(number) = value.raw().parse()
        && range.contains(&number)
    {
        return Ok(Some(number));
    }
    let found = if value.kind() == Kind::Number { "" } else { &format!(", not {}", value.kind()) };
    let what = format!("must be a whole number from {} to {}{found}", range.start(), range.end());
    problems.add(Problem::new(field, what))?;
    Ok(None)
}

/// The body with every `repo_url` freed of credentials; none when there were none.
fn scrub(body: &str, urls: &[Value<'_>]) -> Result<Option<String>, ParseError> {
    let mut scrubbed = String::new();
    let mut copied = 0;
    for url in urls {
        let Some(clean) = url.string()?.and_then(|text| repository::scrub(&text)) else { continue };
        let range = url.range();
        scrubbed.push_str(body.get(copied..range.start).unwrap_or_default());
        // Serialising a string cannot fail.
        scrubbed.push_str(&serde_json::to_string(&clean).unwrap_or_default());
        copied = range.end;
    }
    if copied == 0 {
        return Ok(None);
    }
    scrubbed.push_str(body.get(copied..).unwrap_or_default());
    Ok(Some(scrubbed))
}
