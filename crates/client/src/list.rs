//! Lists: they come in pages, and are printed as one.

use crate::{
    common::Output,
    failure::Failure,
    json::Document,
    screen::Screen,
    server::Server,
    table::{Cell, Column, Table},
};
use clap::Args;
use tonic::Status;

/// More are not given at once.
const LARGEST_PAGE: usize = 500;

/// So many are listed unless it is said otherwise.
const USUAL: u32 = 50;

/// How much of a list is wanted.
#[derive(Clone, Debug, Args)]
pub(crate) struct Paging {
    /// At most so many.
    #[arg(
        long,
        short = 'n',
        value_name = "N",
        default_value_t = USUAL,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    limit: u32,
    /// All there are, page after page.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Go on where another list ended: the token that it gave, with the same filters.
    #[arg(long, value_name = "TOKEN")]
    page_token: Option<String>,
}

impl Default for Paging {
    fn default() -> Self {
        Self { limit: USUAL, all: false, page_token: None }
    }
}

/// One page.
pub(crate) struct Page {
    pub(crate) size: i32,
    pub(crate) token: String,
}

/// A page's rows, and the token of the next page.
pub(crate) type Rows<R> = Result<(Vec<R>, String), Status>;

/// Something that is listed.
pub(crate) trait List {
    /// One of the list.
    type Row: Document;

    /// The field that holds them in the API's answer.
    const FIELD: &'static str;

    /// The columns for people.
    const COLUMNS: &'static [Column];

    /// What stands in them.
    fn cells(&self, row: &Self::Row) -> Vec<Cell>;

    /// Asks for a page.
    async fn page(&self, server: &Server, page: Page) -> Rows<Self::Row>;
}

/// Prints it, page by page as it comes: a list of everything may be long.
pub(crate) async fn print<L: List>(
    list: L,
    paging: &Paging,
    output: Output,
    server: &Server,
    screen: &mut Screen<'_>,
) -> Result<(), Failure> {
    let mut left = if paging.all { usize::MAX } else { usize::try_from(paging.limit).unwrap_or(usize::MAX) };
    let mut token = paging.page_token.clone().unwrap_or_default();
    let mut printer = Printer::new(output, L::COLUMNS);
    while left > 0 {
        let size = i32::try_from(left.min(LARGEST_PAGE)).unwrap_or(i32::MAX);
        let page = Page { size, token: token.clone() };
        let (rows, next) = list.page(server, page).await.map_err(|status| server.refused(&status))?;
        left = left.saturating_sub(rows.len());
        printer.rows(&list, &rows, screen)?;
        if !next.is_empty() && next == token {
            return Err(Failure::Refused(format!("the server gives the page `{next}` without an end")));
        }
        token = next;
        if token.is_empty() {
            break;
        }
    }
    printer.end::<L>(&token, screen)
}

/// Prints rows as they come.
struct Printer {
    table: Option<Table>,
    count: usize,
}

impl Printer {
    fn new(output: Output, columns: &[Column]) -> Self {
        let table = match output {
            Output::Table => Some(Table::new(columns)),
            Output::Json => None,
        };
        Self { table, count: 0 }
    }

    fn rows<L: List>(&mut self, list: &L, rows: &[L::Row], screen: &mut Screen<'_>) -> Result<(), Failure> {
        if let Some(table) = &mut self.table {
            let cells: Vec<Vec<Cell>> = rows.iter().map(|row| list.cells(row)).collect();
            if !cells.is_empty() {
                table.print(screen, &cells)?;
            }
            self.count += rows.len();
        } else {
            for row in rows {
                let before = if self.count == 0 {
                    format!("{{\n  \"{}\": [\n    ", L::FIELD)
                } else {
                    ",\n    ".to_owned()
                };
                // No text of JSON holds an end of line: what is one stands between fields.
                screen.text(&format!("{before}{}", row.pretty()?.replace('\n', "\n    ")))?;
                self.count += 1;
            }
        }
        Ok(screen.flush()?)
    }

    fn end<L: List>(self, next: &str, screen: &mut Screen<'_>) -> Result<(), Failure> {
        match self.table {
            None => {
                let rows =
                    if self.count == 0 { format!("{{\n  \"{}\": []", L::FIELD) } else { "\n  ]".to_owned() };
                let token = serde_json::Value::from(next);
                screen.line(&format!("{rows},\n  \"next_page_token\": {token}\n}}"))?;
            }
            Some(_) if self.count == 0 => screen.note("none")?,
            Some(_) if !next.is_empty() => {
                screen.note(&format!(
                    "there are more: --page-token '{next}' goes on, --all gives all of them"
                ))?;
            }
            Some(_) => {}
        }
        Ok(screen.flush()?)
    }
}
