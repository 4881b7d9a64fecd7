//! A plan as a Mermaid flowchart.

use super::forecast::{Fate, Forecast};
use std::fmt::{self, Write as _};

pub(super) fn render(forecast: &Forecast) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write(&mut text, forecast);
    text
}

fn write(out: &mut String, forecast: &Forecast) -> fmt::Result {
    writeln!(out, "flowchart LR")?;
    for (index, stack) in forecast.stacks.iter().enumerate() {
        let class = match &stack.fate {
            Fate::Dispatched(_) => "",
            Fate::Skipped(_) => ":::skipped",
            Fate::Refused(_) => ":::refused",
            Fate::Blocked(_) => ":::blocked",
        };
        let (component, name) = (escaped(stack.key.component.as_str()), escaped(stack.key.stack.as_str()));
        writeln!(out, "  s{index}[\"{component}<br/>{name}\"]{class}")?;
    }
    for (parent, child) in &forecast.edges {
        writeln!(out, "  s{parent} --> s{child}")?;
    }
    writeln!(out, "  classDef skipped stroke-dasharray:4 4,color:#777")?;
    writeln!(out, "  classDef refused stroke:#c00,stroke-width:2px")?;
    writeln!(out, "  classDef blocked stroke:#c00,stroke-dasharray:4 4")
}

/// Mermaid ends a label at `"`, reads HTML in it, Markdown between backticks, and its own entities after `#`.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            c if c.is_control() => out.push(' '),
            '"' | '<' | '>' | '&' | '#' | ';' | '`' | '\\' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_label() {
        assert_eq!(escaped("eks/cluster"), "eks/cluster");
        assert_eq!(escaped("a\"]-->b#`\n"), "a#34;]--#62;b#35;#96; ");
    }
}
