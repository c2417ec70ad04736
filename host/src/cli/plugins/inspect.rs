//! `host plugins inspect`

use crate::{
    cli::Exit,
    plugin::{Catalog, Key, keys},
};

/// Columns of the table of settings where there is no terminal to tell.
const WIDTH: u16 = 100;

/// Arguments of `host plugins inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  host plugins inspect hough-rust
  host plugins inspect ./libmy_detector.so --json")]
pub(super) struct Args {
    /// Name of a plugin, or path of a library
    #[arg(value_name = "NAME|PATH")]
    plugin: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, catalog: &Catalog) -> anyhow::Result<Exit> {
    let plugin = catalog.load(&args.plugin)?;
    let descriptor = plugin.descriptor();
    let keys = keys(&descriptor.schema, &descriptor.default_config);
    if args.json {
        let mut value = serde_json::to_value(descriptor)?;
        value["keys"] = serde_json::to_value(&keys)?;
        value["search_path"] = serde_json::to_value(catalog.dirs())?;
        super::print_json(&value)?;
        return Ok(Exit::Done);
    }
    super::print(format!(
        "{} {}: {}\n  kind        {}\n  interface   {}\n  library     {}",
        descriptor.name,
        descriptor.version,
        descriptor.description,
        descriptor.kind,
        descriptor.api_version,
        descriptor.path.display(),
    ))?;
    for (i, dir) in catalog.dirs().iter().enumerate() {
        let label = if i == 0 { "search path" } else { "" };
        super::print(format!("  {label:11} {} ({})", dir.path.display(), dir.origin))?;
    }
    if keys.is_empty() {
        super::print("\nIt has no configuration.")?;
    } else {
        super::print(format!("\n[plugin.{}] in config.toml:\n{}", descriptor.name, table(&keys)))?;
    }
    Ok(Exit::Done)
}

fn table(keys: &[Key]) -> comfy_table::Table {
    let mut table = super::new_table(&["key", "type", "default", "allowed", "meaning"]);
    if table.width().is_none() {
        table.set_width(WIDTH);
    }
    for key in keys {
        let default = if key.default.is_null() { String::new() } else { key.default.to_string() };
        table.add_row([&key.name, &key.kind, &default, &key.allowed, &key.description]);
    }
    table
}
