//! `host plugins list`

use comfy_table::ColumnConstraint;

use crate::{
    cli::Exit,
    plugin::{Catalog, Entry, EntryStatus},
};

/// Arguments of `host plugins list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  host plugins list --plugin-path ./my-plugins --json")]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, catalog: &Catalog) -> anyhow::Result<Exit> {
    let entries = catalog.list();
    if args.json {
        super::print_json(
            &serde_json::json!({ "plugins": entries, "search_path": catalog.dirs() }),
        )?;
        return Ok(Exit::Done);
    }
    if entries.is_empty() {
        super::print("no plugins found")?;
    } else {
        super::print(table(&entries))?;
    }
    for dir in catalog.dirs() {
        let missing = if dir.path.is_dir() { "" } else { ", not there" };
        super::print(format!("looked in {} ({}{missing})", dir.path.display(), dir.origin))?;
    }
    Ok(Exit::Done)
}

fn table(entries: &[Entry]) -> comfy_table::Table {
    let mut table =
        super::new_table(&["name", "kind", "version", "interface", "description, library"]);
    if let Some(name) = table.column_mut(0) {
        name.set_constraint(ColumnConstraint::ContentWidth);
    }
    for entry in entries {
        let text = match &entry.status {
            EntryStatus::Ok { descriptor } => descriptor.description.clone(),
            EntryStatus::Shadowed { by, .. } => format!("not used: {} comes first", by.display()),
            EntryStatus::Broken { reason } => {
                // The path has its own line.
                let path = format!("{}: ", entry.path.display());
                format!("not usable: {}", reason.strip_prefix(&path).unwrap_or(reason))
            }
        };
        let text = format!("{text}\n{}", entry.path.display());
        table.add_row(match entry.descriptor() {
            Some(d) => {
                [d.name.clone(), d.kind.to_string(), d.version.clone(), d.api_version.clone(), text]
            }
            None => ["-".into(), "-".into(), "-".into(), "-".into(), text],
        });
    }
    table
}
