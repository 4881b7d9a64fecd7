//! Walks the affected stacks and their dependents and unites them while reading (contract §5).
//!
//! The nesting is followed with a stack of our own, never by recursion, and nothing of the tree is kept but the union:
//! an upload may repeat subtrees so often that the tree would not fit into memory (contract §5.2).

use super::{
    ParseError,
    json::{Cursor, Kind, Value},
    limits::Limits,
    nodes::{Node, Nodes, ProRef},
    problem::{Problem, Problems},
};
use stackwave_domain::Fragment;
use std::borrow::Cow;

/// The longest name of a component or a stack, in bytes: names end up in tables and inputs.
const MAX_NAME_BYTES: usize = 512;

/// How many levels of a deep path are spelled out at its start.
const PATH_HEAD: usize = 8;

/// Reads arrays of affected stacks.
pub(super) struct Walker<'a> {
    limits: Limits,
    /// What the outermost array is called in messages; empty when it is the body itself.
    root: &'static str,
    nodes: Nodes<'a>,
    /// The entries that are open, outermost first.
    open: Vec<OpenEntry<'a>>,
    /// The index of the current element of each open array; one longer than `open` inside an array.
    indices: Vec<usize>,
    visited: usize,
}

/// An entry whose end has not been read yet.
#[derive(Default)]
struct OpenEntry<'a> {
    component: Option<Value<'a>>,
    stack: Option<Value<'a>>,
    settings: Option<Value<'a>>,
    pro: Option<Value<'a>>,
    deleted: Option<Value<'a>>,
    deletion_type: Option<Value<'a>>,
    children: Vec<Node>,
}

/// What comes next.
enum Next {
    FirstElement,
    Element,
    AfterElement,
    FirstMember,
    Member,
    AfterMember,
    Done,
}

impl<'a> Walker<'a> {
    pub(super) fn new(limits: Limits, root: &'static str) -> Self {
        Self { limits, root, nodes: Nodes::new(limits), open: Vec::new(), indices: Vec::new(), visited: 0 }
    }

    /// Reads one array, whose `[` has been taken, to its end.
    pub(super) fn walk(
        &mut self,
        cursor: &mut Cursor<'a>,
        problems: &mut Problems,
    ) -> Result<(), ParseError> {
        self.indices.push(0);
        let mut next = Next::FirstElement;
        loop {
            next = match next {
                Next::FirstElement if cursor.eat(b']') => self.close_array(),
                Next::FirstElement | Next::Element => self.element(cursor, problems)?,
                Next::AfterElement if cursor.eat(b']') => self.close_array(),
                Next::AfterElement => {
                    cursor.expect(b',')?;
                    if let Some(index) = self.indices.last_mut() {
                        *index += 1;
                    }
                    Next::Element
                }
                Next::FirstMember if cursor.eat(b'}') => self.close_entry(problems)?,
                Next::FirstMember | Next::Member => self.member(cursor, problems)?,
                Next::AfterMember if cursor.eat(b'}') => self.close_entry(problems)?,
                Next::AfterMember => {
                    cursor.expect(b',')?;
                    Next::Member
                }
                Next::Done => return Ok(()),
            };
        }
    }

    /// The union of everything that was read.
    pub(super) fn finish(self) -> Fragment {
        self.nodes.into_fragment()
    }

    fn element(&mut self, cursor: &mut Cursor<'a>, problems: &mut Problems) -> Result<Next, ParseError> {
        self.visited += 1;
        if self.visited > self.limits.entries {
            return Err(ParseError::TooManyEntries { limit: self.limits.entries });
        }
        if self.open.len() > self.limits.depth {
            let what = format!("lies more than {} levels of dependents deep", self.limits.depth);
            // Nothing below can be read within the limit, so reading ends here.
            let _ = problems.add(Problem::new(self.path(), what));
            return Err(ParseError::Enough);
        }
        if cursor.eat(b'{') {
            self.open.push(OpenEntry::default());
            return Ok(Next::FirstMember);
        }
        let value = cursor.value()?;
        problems.add(Problem::new(self.path(), format!("must be an object, not {}", value.kind())))?;
        Ok(Next::AfterElement)
    }

    fn member(&mut self, cursor: &mut Cursor<'a>, problems: &mut Problems) -> Result<Next, ParseError> {
        let name = cursor.key()?;
        if name == "dependents" && cursor.peek() == Some(b'[') {
            cursor.expect(b'[')?;
            self.indices.push(0);
            return Ok(Next::FirstElement);
        }
        let value = cursor.value()?;
        if name == "dependents" && value.kind() != Kind::Null {
            let field = format!("{}.dependents", self.path());
            problems.add(Problem::new(field, format!("must be an array, not {}", value.kind())))?;
        }
        let Some(entry) = self.open.last_mut() else { return Ok(Next::AfterMember) };
        let slot = match name.as_ref() {
            "component" => &mut entry.component,
            "stack" => &mut entry.stack,
            "settings" => &mut entry.settings,
            "pro" => &mut entry.pro,
            "deleted" => &mut entry.deleted,
            "deletion_type" => &mut entry.deletion_type,
            _ => return Ok(Next::AfterMember),
        };
        *slot = Some(value);
        Ok(Next::AfterMember)
    }

    fn close_array(&mut self) -> Next {
        self.indices.pop();
        if self.open.is_empty() { Next::Done } else { Next::AfterMember }
    }

    fn close_entry(&mut self, problems: &mut Problems) -> Result<Next, ParseError> {
        let Some(entry) = self.open.pop() else { return Ok(Next::Done) };
        let Some(node) = self.node(&entry, problems)? else { return Ok(Next::AfterElement) };
        for child in entry.children {
            self.nodes.edge(node, child);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(node);
        }
        Ok(Next::AfterElement)
    }

    /// What a closed entry says, united with what was known; none when it has no valid key.
    fn node(&mut self, entry: &OpenEntry<'a>, problems: &mut Problems) -> Result<Option<Node>, ParseError> {
        let component = self.name("component", entry.component, problems)?;
        let stack = self.name("stack", entry.stack, problems)?;
        let deleted = self.deleted(entry, problems)?;
        let pro = self.pro(entry, problems)?;
        let (Some(component), Some(stack)) = (component, stack) else { return Ok(None) };
        let node = self.nodes.intern(stack, component);
        // The entry is closed, so `open` holds its ancestors: none at the top level.
        self.nodes.occurs(node, self.open.is_empty(), deleted, pro)?;
        Ok(Some(node))
    }

    fn name(
        &self,
        field: &str,
        value: Option<Value<'a>>,
        problems: &mut Problems,
    ) -> Result<Option<Cow<'a, str>>, ParseError> {
        let what = match value {
            None => "is missing".to_owned(),
            Some(value) => match value.string()? {
                None => format!("must be a string, not {}", value.kind()),
                Some(name) if name.is_empty() => "must not be empty".to_owned(),
                Some(name) if name.len() > MAX_NAME_BYTES => {
                    format!("has {} bytes, more than the {MAX_NAME_BYTES} allowed", name.len())
                }
                Some(name) => return Ok(Some(name)),
            },
        };
        problems.add(Problem::new(format!("{}.{field}", self.path()), what))?;
        Ok(None)
    }

    fn deleted(
        &self,
        entry: &OpenEntry<'a>,
        problems: &mut Problems,
    ) -> Result<Option<Cow<'a, str>>, ParseError> {
        let Some(deleted) = entry.deleted.and_then(Value::non_null) else { return Ok(None) };
        if deleted.kind() != Kind::Bool {
            let field = format!("{}.deleted", self.path());
            problems.add(Problem::new(field, format!("must be a boolean, not {}", deleted.kind())))?;
            return Ok(None);
        }
        if deleted.raw() == "false" {
            return Ok(None);
        }
        let Some(kind) = entry.deletion_type.and_then(Value::non_null) else {
            return Ok(Some("component".into()));
        };
        let text = kind.string()?;
        if text.as_ref().is_none_or(|text| text.len() > MAX_NAME_BYTES) {
            let field = format!("{}.deletion_type", self.path());
            problems.add(Problem::new(field, "must be `component` or `stack`"))?;
        }
        Ok(text)
    }

    /// The `pro` block: one beside `settings` wins whole over the one inside (contract §17).
    fn pro(&mut self, entry: &OpenEntry<'a>, problems: &mut Problems) -> Result<Option<ProRef>, ParseError> {
        let (block, field) = if let Some(pro) = entry.pro.and_then(Value::non_null) {
            (pro, "pro")
        } else if let Some(settings) = entry.settings.and_then(Value::non_null) {
            let Some(mut members) = settings.members() else {
                let field = format!("{}.settings", self.path());
                problems.add(Problem::new(
                    field,
                    format!("must be an object or null, not {}", settings.kind()),
                ))?;
                return Ok(None);
            };
            let mut inner = None;
            while let Some((name, value)) = members.next()? {
                if name == "pro" {
                    inner = value.non_null();
                }
            }
            let Some(inner) = inner else { return Ok(None) };
            (inner, "settings.pro")
        } else {
            return Ok(None);
        };
        match self.nodes.settings(block)? {
            Ok(pro) => Ok(Some(pro)),
            Err(found) => {
                let path = format!("{}.{field}", self.path());
                for problem in found {
                    problems.add(problem.inside(&path))?;
                }
                Ok(None)
            }
        }
    }

    /// The path of the current element; the middle of a deep one is left out.
    fn path(&self) -> String {
        let mut path = String::new();
        let count = self.indices.len();
        for (level, index) in self.indices.iter().enumerate() {
            if count > PATH_HEAD + 2 && level == PATH_HEAD {
                path.push_str(&format!(".… ({} levels) …", count - PATH_HEAD - 1));
            }
            if count > PATH_HEAD + 2 && level >= PATH_HEAD && level + 1 < count {
                continue;
            }
            let name = if level == 0 { self.root } else { ".dependents" };
            path.push_str(&format!("{name}[{index}]"));
        }
        path
    }
}
