//! The verbs about plugins, and libraries that are none or none that work.

use std::{fs, path::Path};

use plumbline_tests::{Ended, Running, built, host, scratch};
use serde_json::Value;

fn run(args: &[&str]) -> Ended {
    Running::start(host(args)).end()
}

/// `plugins list` of one directory that is looked into first.
fn listed(dir: &Path) -> Vec<Value> {
    let mut command = host(["plugins", "list", "--json", "--plugin-path"]);
    command.arg(dir).env_remove("PLUMBLINE_PLUGIN_PATH");
    let ended = Running::start(command).end().with_status(0);
    let list: Value = serde_json::from_str(&ended.out).expect(&ended.out);
    let entries = list["plugins"].as_array().or(list.as_array()).expect(&ended.out).clone();
    let here =
        |entry: &Value| entry["path"].as_str().is_some_and(|p| Path::new(p).starts_with(dir));
    entries.into_iter().filter(here).collect()
}

fn fixture(name: &str) -> std::path::PathBuf {
    let path = built().join("examples").join(format!("lib{name}.so"));
    assert!(path.is_file(), "{} is missing; build the workspace first: make test", path.display());
    path
}

#[test]
fn a_library_that_is_dropped_in_is_found_by_the_name_that_it_declares() {
    let dir = scratch();
    fs::copy(fixture("centroid"), dir.path().join("libwhatever.so")).unwrap();
    let mut command = host(["demo", "--frames", "10", "--detector", "centroid", "--plugin-path"]);
    command.arg(dir.path()).args(plumbline_tests::SMALL).env_remove("PLUMBLINE_PLUGIN_PATH");
    let ended = Running::start(command).end().with_status(0);
    assert!(ended.out.contains("centroid on 160 x 120"), "{}", ended.out);
    assert!(ended.out.contains("10 sent = 10 scored"), "{}", ended.out);
}

#[test]
fn what_cannot_be_used_is_listed_with_a_sentence_of_its_own() {
    let dir = scratch();
    fs::write(dir.path().join("libtext.so"), "just a text\n").unwrap();
    let whole = fs::read(fixture("centroid")).unwrap();
    fs::write(dir.path().join("libhalf.so"), &whole[..whole.len() / 2]).unwrap();
    for name in ["no_plugin", "newer_interface", "other_layout", "crash_on_load"] {
        fs::copy(fixture(name), dir.path().join(format!("lib{name}.so"))).unwrap();
    }
    let list = listed(dir.path());
    let reason = |name: &str| {
        let file = format!("lib{name}.so");
        let entry = list.iter().find(|e| e["path"].as_str().unwrap().ends_with(&file));
        entry.unwrap_or_else(|| panic!("{file} in {list:?}")).to_string()
    };
    let mut seen = Vec::new();
    for (name, part) in [
        ("text", "text file"),
        ("half", "cut off"),
        ("no_plugin", "exports no Plumbline plugin"),
        ("newer_interface", "newer"),
        ("other_layout", "layout"),
        ("crash_on_load", "SIG"),
    ] {
        let said = reason(name);
        assert!(said.contains(part), "{name}: `{part}` is missing in {said}");
        assert!(said.len() < 2000, "{name}: {} bytes are no sentence", said.len());
        seen.push(said);
    }
    seen.dedup();
    assert_eq!(seen.len(), 6);
}

#[test]
fn a_display_is_no_detector() {
    let ended = run(&["detect", "--plugin", "display-null", "x.png"]).with_status(2);
    assert!(ended.err.contains("display") && ended.err.contains("detector"), "{}", ended.err);
}

#[test]
fn inspect_shows_the_keys_of_a_plugin() {
    let ended = run(&["plugins", "inspect", "hough-rust"]).with_status(0);
    for part in ["min_radius", "detector", "1.0.0"] {
        assert!(ended.out.contains(part), "{}", ended.out);
    }
    let ended = run(&["plugins", "inspect", "hough-rust", "--json"]).with_status(0);
    let about: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(about["name"], "hough-rust");
}

#[test]
fn the_harness_passes_a_good_plugin_and_names_what_a_bad_one_does() {
    let good = run(&["plugins", "check", "centroid", "--level", "5"]).with_status(0);
    assert!(good.out.contains("0 failed"), "{}", good.out);
    let set = ["-c", "plugin.moody.abort_on=[0]"];
    let bad = run(&[&["plugins", "check", "moody", "--level", "5"][..], &set].concat());
    let behind_its_name = run(&["plugins", "check", "moody:abort_on=[0]", "--level", "5"]);
    for bad in [bad, behind_its_name] {
        let bad = bad.with_status(1);
        assert!(bad.out.contains("fail") && bad.out.contains("SIGABRT"), "{}", bad.out);
    }
}

#[test]
fn the_harness_does_not_blame_a_plugin_for_settings_that_it_refuses() {
    let args = ["plugins", "check", "hough-rust:min_radius=5:max_radius=3", "--level", "5"];
    let refused = run(&args).with_status(2);
    assert!(refused.err.contains("max_radius = 3 is below min_radius = 5"), "{}", refused.err);
    let refused = run(&["plugins", "check", "moody:leak=1, sleep_ms=2"]).with_status(2);
    assert!(refused.err.contains("NAME:sleep_ms=2"), "{}", refused.err);
    let refused = run(&["plugins", "check", "display-terminal:mode=live"]).with_status(2);
    assert!(refused.err.contains("refused its configuration"), "{}", refused.err);
}

#[test]
fn the_bench_counts_no_answer_that_is_elsewhere() {
    let args = ["plugins", "bench", "centroid", "moody", "--frames", "8", "--json"];
    let ended = run(&args).with_status(0);
    let rows: Value = serde_json::from_str(&ended.out).unwrap();
    let found = |detector: &str| {
        let rows = rows.as_array().unwrap().iter().filter(|row| row["detector"] == detector);
        rows.map(|row| row["found"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    // The second one always says the picture's middle, where two of the small discs are.
    assert_eq!((found("centroid"), found("moody")), (vec![8, 8], vec![2, 0]));
    assert!(ended.err.contains("moody found the disc on 2 of 8 frames"), "{}", ended.err);
}

#[test]
fn detect_answers_a_line_for_every_picture_and_goes_on_after_a_bad_one() {
    let dir = scratch();
    let frames = dir.path().join("frames");
    let path = frames.to_str().unwrap();
    let _ = run(&["scene", "--preset", "clean", "--frames", "2", "--out", path]).with_status(0);
    let truth = fs::read_to_string(frames.join("truth.csv")).unwrap();
    let row: Vec<&str> = truth.lines().nth(1).unwrap().split(',').collect();
    let picture = frames.join("000000.png");
    let text = frames.join("truth.csv");
    let marked = dir.path().join("marked");
    let args = ["detect", "--plugin", "hough-rust", "--annotate", marked.to_str().unwrap()];
    let files = [
        picture.to_str().unwrap(),
        text.to_str().unwrap(),
        "nosuch.png",
        picture.to_str().unwrap(),
    ];
    let ended = run(&[&args[..], &files].concat()).with_status(1);
    let lines: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    for line in [&lines[0], &lines[3]] {
        assert_eq!((&line["width"], &line["height"]), (&640.into(), &480.into()));
        let best = &line["detections"][0];
        for (key, cell) in [("x", row[2]), ("y", row[3]), ("radius", row[4])] {
            let (found, truth) = (best[key].as_f64().unwrap(), cell.parse::<f64>().unwrap());
            assert!((found - truth).abs() < 0.05, "{key}: {found}, not {truth}");
        }
    }
    assert!(lines[1]["error"].is_string() && lines[2]["error"].is_string(), "{}", ended.out);
    let marked = |name: &str| marked.join(name).is_file();
    assert!(marked("000000.found.png") && marked("000000.found-2.png"));
}

/// A detector that ends its process takes no other picture along.
#[test]
fn detect_goes_on_after_a_detector_that_ends_its_process() {
    let dir = scratch();
    let frames = dir.path().join("frames");
    let path = frames.to_str().unwrap();
    let _ = run(&["scene", "--preset", "clean", "--frames", "3", "--out", path]).with_status(0);
    let files: Vec<String> = (0..3).map(|n| format!("{path}/{n:06}.png")).collect();
    let detect = |plugin: &str, status| -> Vec<Value> {
        let args = ["detect", "--plugin", plugin];
        let files = files.iter().map(String::as_str);
        let ended = run(&args.into_iter().chain(files).collect::<Vec<_>>()).with_status(status);
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let lines = detect("moody:abort_on=[1]", 1);
    let errors: Vec<bool> = lines.iter().map(|line| line["error"].is_string()).collect();
    assert_eq!(errors, [false, true, false], "{lines:?}");
    let why = lines[1]["error"].as_str().unwrap();
    assert!(why.contains("SIGABRT"), "{why}");
}
