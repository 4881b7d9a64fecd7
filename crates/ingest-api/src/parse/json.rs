//! Just enough of a JSON reader to walk a document without recursion and without building it: punctuation is read
//! here, every scalar and every value that nobody looks into is left to `serde_json`, which skips without recursion
//! too.

use serde::de::IgnoredAny;
use std::{borrow::Cow, fmt};

/// The text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not valid JSON: {what} at line {line}, column {column}")]
pub struct SyntaxError {
    /// What was found or missed.
    pub what: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in bytes.
    pub column: usize,
}

/// What kind of value it is, as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "a boolean",
            Self::Null => "null",
        })
    }
}

/// One value of a document, not read yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    document: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Value<'a> {
    /// Its bytes, without blanks around them.
    pub(super) fn raw(&self) -> &'a str {
        self.document.get(self.start..self.end).unwrap_or_default()
    }

    /// Where it stands in the document.
    pub(super) const fn range(&self) -> std::ops::Range<usize> {
        self.start..self.end
    }

    pub(super) fn kind(&self) -> Kind {
        match self.raw().as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// The value, or none for null: Go writes an absent thing as null.
    pub(super) fn non_null(self) -> Option<Self> {
        (self.kind() != Kind::Null).then_some(self)
    }

    /// The text of a string; none for every other kind.
    pub(super) fn string(&self) -> Result<Option<Cow<'a, str>>, SyntaxError> {
        if self.kind() != Kind::String {
            return Ok(None);
        }
        Cursor { document: self.document, at: self.start }.string().map(Some)
    }

    /// The members of an object in the order of writing; none for every other kind.
    pub(super) fn members(&self) -> Option<Members<'a>> {
        (self.kind() == Kind::Object)
            .then(|| Members { cursor: Cursor { document: self.document, at: self.start + 1 }, first: true })
    }
}

/// The members of one object.
pub(super) struct Members<'a> {
    cursor: Cursor<'a>,
    first: bool,
}

impl<'a> Members<'a> {
    /// The next member.
    pub(super) fn next(&mut self) -> Result<Option<(Cow<'a, str>, Value<'a>)>, SyntaxError> {
        if self.cursor.eat(b'}') {
            return Ok(None);
        }
        if !std::mem::take(&mut self.first) {
            self.cursor.expect(b',')?;
        }
        let key = self.cursor.key()?;
        Ok(Some((key, self.cursor.value()?)))
    }
}

/// A place in a document.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    document: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(document: &'a str) -> Self {
        Self { document, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.document.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no blank; none at the end.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let bytes = self.document.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Takes the byte if it comes next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), SyntaxError> {
        if self.eat(byte) { Ok(()) } else { Err(self.unexpected(&format!("`{}`", char::from(byte)))) }
    }

    /// An error about what stands here.
    pub(super) fn unexpected(&mut self, wanted: &str) -> SyntaxError {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(_) => {
                self.rest().chars().next().map_or_else(String::new, |c| format!("`{}`", c.escape_debug()))
            }
        };
        self.error_at(self.at, format!("expected {wanted}, found {found}"))
    }

    /// A member's name and the colon after it.
    pub(super) fn key(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a member's name in quotes"));
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// The string that starts at the next byte.
    fn string(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        let rest = self.rest();
        let content = rest.get(1..).unwrap_or_default();
        // Nearly every string is plain: borrow it up to its closing quote.
        let special = content.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        if let Some(end) = special
            && content.as_bytes().get(end) == Some(&b'"')
        {
            self.at += end + 2;
            return Ok(Cow::Borrowed(content.get(..end).unwrap_or_default()));
        }
        self.read::<String>().map(Cow::Owned)
    }

    /// The next value, checked to be JSON and passed over.
    pub(super) fn value(&mut self) -> Result<Value<'a>, SyntaxError> {
        if self.peek().is_none() {
            return Err(self.unexpected("a value"));
        }
        let start = self.at;
        self.read::<IgnoredAny>()?;
        Ok(Value { document: self.document, start, end: self.at })
    }

    fn read<T: serde::Deserialize<'a>>(&mut self) -> Result<T, SyntaxError> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<T>();
        match values.next() {
            Some(Ok(value)) => {
                self.at += values.byte_offset();
                Ok(value)
            }
            Some(Err(error)) => Err(self.translate(&error)),
            None => Err(self.unexpected("a value")),
        }
    }

    /// `serde_json` counts from where it was started.
    fn translate(&self, error: &serde_json::Error) -> SyntaxError {
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or(&text).to_owned();
        let here = self.error_at(self.at, what);
        let line = here.line + error.line().saturating_sub(1);
        let column =
            if error.line() <= 1 { here.column + error.column().saturating_sub(1) } else { error.column() };
        SyntaxError { line, column, ..here }
    }

    fn error_at(&self, at: usize, what: String) -> SyntaxError {
        let before = self.document.as_bytes().get(..at).unwrap_or_default();
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |found| found + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        SyntaxError { what, line, column: at - line_start + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<&str, SyntaxError> {
        Cursor::new(text).value().map(|value| value.raw())
    }

    #[test]
    fn values_are_passed_over_whole() {
        for (text, raw) in [
            (r#"  {"a":[1,{"b":"}"}]} , 2"#, r#"{"a":[1,{"b":"}"}]}"#),
            (r#""a\"b" ]"#, r#""a\"b""#),
            ("-1.5e3,", "-1.5e3"),
            ("null}", "null"),
        ] {
            assert_eq!(value(text), Ok(raw));
        }
    }

    #[test]
    fn nesting_without_end_is_passed_over_without_recursion() {
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(value(&deep).map(str::len), Ok(2_000_000));
    }

    #[test]
    fn members_come_in_order_and_strings_unescape() {
        let text = r#"{"a": "x\ny", "b\u0041":[1 , 2], "c":{}}"#;
        let mut members = Cursor::new(text).value().unwrap().members().unwrap();
        let (name, first) = members.next().unwrap().unwrap();
        assert_eq!((name.as_ref(), first.string().unwrap().as_deref()), ("a", Some("x\ny")));
        let (name, second) = members.next().unwrap().unwrap();
        assert_eq!((name.as_ref(), second.raw(), second.kind()), ("bA", "[1 , 2]", Kind::Array));
        assert_eq!(members.next().unwrap().unwrap().1.members().map(|_| ()), Some(()));
        assert!(members.next().unwrap().is_none());
    }

    #[test]
    fn an_error_tells_its_place() {
        let mut cursor = Cursor::new("{\n  \"a\": tru }");
        cursor.expect(b'{').unwrap();
        cursor.key().unwrap();
        let error = cursor.value().unwrap_err();
        assert_eq!((error.line, error.column), (2, 11), "{error}");
        let error = Cursor::new("\n\n x").expect(b'{').unwrap_err();
        assert_eq!(
            error.to_string(),
            "the body is not valid JSON: expected `{`, found `x` at line 3, column 2"
        );
        assert!(value("\"abc").is_err() && value("").is_err() && value("\"a\u{1}\"").is_err());
    }
}
