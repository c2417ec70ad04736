//! Arguments and configurations that are wrong: status 2, the place, and what
//! would be right.

use std::fs;

use plumbline_tests::{Running, SMALL, Server, host, scratch, summary};

fn refused(config: &str, args: &[&str], parts: &[&str]) {
    let dir = scratch();
    let file = dir.path().join("c.toml");
    fs::write(&file, config).unwrap();
    let mut command = host(["demo", "--no-graphics", "--frames", "1", "--config"]);
    command.arg(&file).args(args);
    let ended = Running::start(command).end().with_status(2);
    for part in parts {
        assert!(ended.err.contains(part), "`{part}` is missing in:\n{}", ended.err);
    }
    assert!(ended.out.is_empty(), "{}", ended.out);
}

#[test]
fn a_wrong_key_type_or_value_has_its_line_and_what_is_right() {
    refused("[scene]\nwitdh = 9\n", &[], &["c.toml:2:1", "`witdh`", "did you mean `width`?"]);
    refused("[scene]\nwidth = \"9\"\n", &[], &["c.toml:2:9", "expected an integer"]);
    refused("\n[scene]\nwidth = 9\n", &[], &["c.toml:3:9", "at least 64", "at most 8192"]);
    refused("[client\n", &[], &["c.toml:1:8"]);
    refused("[scene.ball]\nradius = 400\n", &[], &["c.toml:2:10"]);
    refused("[client]\npolicy = \"lates\"\n", &[], &["c.toml:2:10", "did you mean \"latest\"?"]);
}

#[test]
fn an_argument_is_quoted_as_it_was_written() {
    refused("", &["-c", "scene.fps=fast"], &["-c scene.fps=fast", "expected a number"]);
    refused("", &["-c", "scene.fps"], &["KEY=VALUE"]);
    refused("", &["--fps", "-3"], &["--fps"]);
    refused("", &["--fps", "nan"], &["--fps NaN", "must be a finite number"]);
}

#[test]
fn a_plugin_that_is_not_there_is_named_with_those_that_are() {
    refused(
        "[client]\ndetector = \"hough-rst\"\n",
        &[],
        &["c.toml:2:12", "did you mean \"hough-rust\"?", "display-null (display)", "looked in"],
    );
}

#[test]
fn a_plugins_own_table_is_checked_against_its_schema() {
    refused(
        "[plugin.display-null]\ncolour = 3\n",
        &[],
        &["c.toml:2:1", "unknown key `colour` in [plugin.display-null]"],
    );
    refused(
        "",
        &["--detector", "moody:sleep_ms=-3"],
        &["`plugin.moody.sleep_ms` is out of range", "in the argument `moody:sleep_ms=-3`"],
    );
}

#[test]
fn output_that_could_not_be_written_is_refused_before_anything_runs() {
    refused("", &["--summary", "/nosuch/s.json"], &["--summary", "/nosuch"]);
    refused("", &["--records", "rows.xml"], &["--records", "rows.xml", ".csv"]);
    let dir = scratch();
    let folder = dir.path().join("rows.csv");
    fs::create_dir(&folder).unwrap();
    for option in ["--summary", "--records"] {
        refused("", &[option, folder.to_str().unwrap()], &[option, "this is a directory"]);
    }
}

#[test]
fn a_misspelt_log_level_is_refused() {
    refused("", &["--log", "inof"], &["--log inof", "neither a level"]);
    refused("", &["--log", "warn,inof"], &["--log warn,inof"]);
}

#[test]
fn settings_that_reach_no_plugin_are_warned_of() {
    let set = ["-c", "plugin.hough-rst.min_radius=3", "-c", "plugin.elsewhere.key=1"];
    let mut command = host(["demo", "--no-graphics", "--frames", "1"]);
    command.args(set).args(SMALL);
    let ended = Running::start(command).end().with_status(0);
    assert_eq!(ended.err.matches("did you mean [plugin.hough-rust]?").count(), 1, "{}", ended.err);
    assert!(!ended.err.contains("elsewhere"), "{}", ended.err);
}

#[test]
fn a_full_disk_is_an_error_and_the_session_goes_on() {
    let dir = scratch();
    let json = dir.path().join("s.json");
    let full = dir.path().join("full.csv");
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    let files = ["--records", full.to_str().unwrap(), "--summary", json.to_str().unwrap()];
    let server = Server::start(&[&SMALL[..], &["--frames", "300"], &files].concat());
    let _ = server.client(&[]).end().with_status(0);
    let ended = server.running.end().with_status(1);
    assert!(ended.err.contains("full.csv"), "{}", ended.err);
    assert_eq!(summary(&json)["frames"]["scored"], 300);
}

#[test]
fn no_role_and_no_verb_is_a_usage_error_with_help() {
    let ended = Running::start(host::<&str>([])).end().with_status(2);
    assert!(ended.err.contains("--role server"), "{}", ended.err);
}
