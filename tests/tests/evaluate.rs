//! `host evaluate`: the real binary, real detectors, files and exit statuses.

use std::{
    path::Path,
    process::{Command, Output},
};

use plumbline_tests::{built, host};
use serde_json::Value;

fn run(mut command: Command) -> Output {
    command.output().expect("the host starts")
}

fn evaluate(args: &[&str]) -> Command {
    let common = ["evaluate", "--frames", "24", "--seed", "5", "-c", "scene.format=gray8"];
    host(common.iter().chain(args))
}

fn summary(output: &Output) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {errors}"))
}

/// Without what differs between runs.
fn without_times(mut summary: Value) -> Value {
    for scene in summary["scenes"].as_array_mut().unwrap() {
        for metrics in scene["detectors"].as_array_mut().unwrap() {
            assert!(metrics["ms"]["p50"].as_f64().unwrap() > 0.0);
            metrics["ms"] = Value::Null;
        }
    }
    for overall in summary["overall"].as_array_mut().unwrap() {
        assert!(overall["ms"][0].as_f64().unwrap() > 0.0);
        overall["ms"] = Value::Null;
    }
    summary
}

#[test]
fn the_result_is_the_same_on_one_core_and_on_several() {
    let args = ["--detector", "hough-rust,centroid", "--scene", "clean,noisy", "--json"];
    let on = |threads: &str| {
        let mut command = evaluate(&args);
        command.env("RAYON_NUM_THREADS", threads);
        without_times(summary(&run(command)))
    };
    let one = on("1");
    assert_eq!(one, on("1"));
    assert_eq!(one, on("3"));
    let names: Vec<_> = one["scenes"].as_array().unwrap().iter().map(|s| &s["name"]).collect();
    assert_eq!(names, ["clean", "noisy"]);
    for scene in one["scenes"].as_array().unwrap() {
        let metrics = &scene["detectors"][0];
        assert_eq!((&metrics["detector"], &metrics["frames"]), (&"hough-rust".into(), &24.into()));
        assert_eq!(metrics["recall"], 1.0);
        let rmse = metrics["rmse"].as_f64().unwrap();
        assert!(rmse > 0.0 && rmse < 0.05, "{rmse}");
        assert_eq!(scene["pairs"][0]["reference"], "hough-rust");
    }
    assert_ne!(one["scenes"][0]["detectors"][0]["rmse"], one["scenes"][1]["detectors"][0]["rmse"]);
}

#[test]
fn answers_that_break_the_rules_are_counted() {
    let summary = summary(&run(evaluate(&["--json", "--detector", "moody:nan_on=[1]"])));
    let metrics = &summary["scenes"][0]["detectors"][0];
    // Six segments of four frames, each with its frame 1.
    assert_eq!((&metrics["misbehaved"], &metrics["faults"]), (&6.into(), &0.into()), "{metrics}");
    let first = metrics["first_misbehaved"].as_str().unwrap();
    assert!(first.starts_with("frame 1: ") && first.contains("not finite"), "{first}");
}

/// The frames of a preset with a start of its own differ from segment to segment, and the
/// command below the pictures films one of them again.
#[test]
fn a_segment_is_filmed_again_by_the_command_of_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report");
    let args = ["--detector", "centroid", "--scene", "seed-compat", "-c", "scene.noise.gaussian=3"];
    let mut command = evaluate(&args);
    command.arg("--report").arg(&report);
    let output = run(command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains(&format!("report: {}", report.join("index.html").display())));
    let rows = std::fs::read_to_string(report.join("frames.csv")).unwrap();
    let cells: Vec<Vec<&str>> = rows.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| cells[0].iter().position(|c| *c == name).unwrap();
    let [segment, seed, number, x, y] =
        ["segment", "segment_seed", "segment_frame", "actual_x", "actual_y"].map(column);
    let mut firsts: Vec<&str> =
        cells[1..].iter().filter(|row| row[number] == "0").map(|row| row[x]).collect();
    firsts.sort_unstable();
    firsts.dedup();
    assert!(firsts.len() > 3, "the segments begin at {firsts:?}");

    let page = std::fs::read_to_string(report.join("index.html")).unwrap();
    let from = page.find("host scene --preset").unwrap();
    let line = page[from..].split("</code>").next().unwrap().replace("&quot;", "\"");
    let row = cells[1..].iter().find(|row| row[segment] == "1" && row[number] == "2").unwrap();
    let out = dir.path().join("again");
    let line = line.replace("SEED", row[seed]).replace("--frames N", "--frames 3");
    let line = line.replace("DIR", &out.display().to_string());
    let line = line.replacen("host", &built().join("host").display().to_string(), 1);
    let shell = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(shell.status.success(), "{line}: {}", String::from_utf8_lossy(&shell.stderr));
    let truth = std::fs::read_to_string(out.join("truth.csv")).unwrap();
    let last: Vec<&str> = truth.lines().last().unwrap().split(',').collect();
    let place = |name: &str| {
        let at = truth.lines().next().unwrap().split(',').position(|c| c == name).unwrap();
        last[at].parse::<f64>().unwrap()
    };
    let expected = [row[x], row[y]].map(|text| text.parse::<f64>().unwrap());
    assert_eq!([place("x"), place("y")], expected);
}

#[test]
fn the_report_is_complete_and_needs_nothing_from_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("report");
    let mut command = evaluate(&["--detector", "hough-rust,centroid", "--scene", "crowded"]);
    command.arg("--report").arg(&out);
    let output = run(command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).lines().all(|l| l.chars().count() <= 100));
    let rows = std::fs::read_to_string(out.join("frames.csv")).unwrap();
    assert_eq!(rows.lines().count(), 1 + 2 * 24 * 8, "a row per detector, frame and ball");
    let summary: Value =
        serde_json::from_slice(&std::fs::read(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["schema"], 2);
    let page = std::fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("hough-rust") && page.contains("centroid") && page.contains("<svg"));
    assert!(page.contains("data:image/png;base64,iVBOR"), "pictures of the worst frames");
    for outside in ["src=\"http", "href=\"http", "url(http", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn thresholds_set_the_exit_status() {
    let met = run(evaluate(&["--scene", "clean", "--require", "rmse=0.05,recall=0.99"]));
    assert_eq!(met.status.code(), Some(0), "{}", String::from_utf8_lossy(&met.stderr));
    let unmet = run(evaluate(&["--scene", "clean", "--require", "rmse=0.000001,recall=0.99"]));
    assert_eq!(unmet.status.code(), Some(3));
    let errors = String::from_utf8_lossy(&unmet.stderr).into_owned();
    assert!(errors.contains("not met: hough-rust in clean: rmse is 0.0"), "{errors}");
    assert!(!errors.contains("recall"), "{errors}");
}

#[test]
fn wrong_arguments_are_refused_before_anything_is_filmed() {
    for (args, said) in [
        (["--require", "rmsd=1"], "rmse (at most)"),
        (["--scene", "cleen"], "clean"),
        (["--detector", "huogh-rust"], "did you mean \"hough-rust\"?"),
        (["--detector", "hough-rust,hough-rust"], "twice"),
        (["--detector", "moody:sleep=3"], "did you mean `sleep_ms`?"),
        (["--detector", "moody:sleep_ms=no"], "in the argument `moody:sleep_ms=no`"),
        (["--detector", "moody:sleep_ms"], "settings are KEY=VALUE"),
        (["--detector", "moody:leak=1:leak=2"], "leak is set twice"),
        (["--detector", "moody:leak=1,sleep_ms=2"], "NAME:sleep_ms=2"),
        (["--require", "recall=99.9"], "from 0 to 1"),
        (["--require", "rmse=1,rmse=2"], "twice"),
        (["--plugin-path", "/nowhere"], "No such file"),
        (["--frames", "0"], "--frames"),
    ] {
        // Not through `evaluate`, which says --frames already.
        let output = run(host(["evaluate"].iter().chain(&args)));
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {errors}");
        assert!(errors.contains(said), "{args:?}: {errors}");
    }
}

#[test]
fn a_frame_that_a_detector_fails_on_counts_as_missed_and_is_reported() {
    let output = run(evaluate(&[
        "--detector",
        "moody",
        "--scene",
        "clean",
        "--json",
        "-c",
        "plugin.moody.panic_on=[1]",
    ]));
    let summary = summary(&output);
    let metrics = &summary["scenes"][0]["detectors"][0];
    // Six segments of four frames, each with a frame 1.
    assert_eq!(metrics["faults"], 6, "{metrics}");
    assert!(metrics["first_fault"].as_str().unwrap().contains("panicked"), "{metrics}");
    assert!(metrics["found"].as_u64().unwrap() <= 18);
}

#[test]
fn a_detector_that_ends_its_process_takes_neither_the_others_nor_the_report_along() {
    let output = run(evaluate(&[
        "--detector",
        "moody,centroid",
        "--scene",
        "clean",
        "--json",
        "-c",
        "plugin.moody.abort_on=[2]",
    ]));
    assert_eq!(output.status.code(), Some(0));
    let summary = summary(&output);
    let [moody, centroid] = [0, 1].map(|n| &summary["scenes"][0]["detectors"][n]);
    // Six segments of four frames, each with a frame 2.
    assert_eq!((&moody["faults"], &centroid["faults"]), (&6.into(), &0.into()), "{summary}");
    let fault = moody["first_fault"].as_str().unwrap();
    assert!(fault.contains("frame 2") && fault.contains("SIGABRT"), "{fault}");
    assert!(fault.contains("this is the end"), "its last words: {fault}");
    assert_eq!(centroid["found"], 24);
}

#[test]
fn a_detector_that_never_comes_back_has_failed_after_the_time_limit() {
    let mut command = host(["evaluate", "--frames", "4", "--time-limit", "1", "--json"]);
    command.args(["--detector", "moody:hang_on=[2],centroid"]);
    let summary = summary(&run(command));
    let [moody, centroid] = [0, 1].map(|n| &summary["scenes"][0]["detectors"][n]);
    assert_eq!((&moody["faults"], &centroid["faults"]), (&1.into(), &0.into()), "{summary}");
    let fault = moody["first_fault"].as_str().unwrap();
    assert!(fault.contains("it did not come back within 1 s"), "{fault}");
}

#[test]
fn a_process_that_ends_between_two_segments_is_replaced() {
    let mut command = evaluate(&["--json", "--detector", "moody:abort_in_drop=true"]);
    command.env("RAYON_NUM_THREADS", "1");
    let output = run(command);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let summary = summary(&output);
    let metrics = &summary["scenes"][0]["detectors"][0];
    assert_eq!((&metrics["frames"], &metrics["faults"]), (&24.into(), &0.into()), "{metrics}");
}

#[test]
fn one_detector_can_be_compared_with_itself_under_other_settings() {
    let dir = tempfile::tempdir().unwrap();
    let again = dir.path().join("libcentroid.so");
    std::fs::copy(built().join("examples/libcentroid.so"), &again).unwrap();
    let again = again.to_str().unwrap();
    let report = dir.path().join("report");
    let detectors = format!("moody,moody:nothing_on=[1,2],centroid,{again}");
    let mut command = evaluate(&["--scene", "clean", "--json", "--detector", &detectors]);
    let output = run({
        command.arg("--report").arg(&report);
        command
    });
    let summary = summary(&output);
    let names: Vec<&str> = summary["detectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["moody", "moody:nothing_on=[1,2]", "centroid", again]);
    let [plain, set] = [0, 1].map(|n| &summary["scenes"][0]["detectors"][n]);
    // Half of the frames of every segment of four.
    assert_eq!(
        2 * set["false_positives"].as_u64().unwrap() + 2 * set["found"].as_u64().unwrap(),
        plain["false_positives"].as_u64().unwrap() + plain["found"].as_u64().unwrap()
    );
    assert_eq!(summary["detectors"][1]["config"], serde_json::json!({"nothing_on": [1, 2]}));
    assert_eq!(summary["detectors"][3]["plugin"], "centroid");
    let rows = std::fs::read_to_string(report.join("frames.csv")).unwrap();
    assert!(rows.contains("\"moody:nothing_on=[1,2]\""), "{rows}");
    let page = std::fs::read_to_string(report.join("index.html")).unwrap();
    let again = format!("--detector &#39;{detectors}&#39; --report");
    let again = [again.clone(), again.replace("&#39;", "'")];
    assert!(again.iter().any(|again| page.contains(again)), "how to run it again");
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_anything_is_filmed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    std::fs::create_dir_all(dir.path().join("taken/index.html")).unwrap();
    for (path, said) in [
        (file, "it is not a directory"),
        (dir.path().join("taken"), "its index.html is a directory"),
    ] {
        let output = run(evaluate(&["--report", path.to_str().unwrap()]));
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(said) && output.stdout.is_empty(), "{errors}");
    }
}

#[test]
fn the_margin_decides_what_is_a_difference() {
    let verdict = |margin: &str| {
        let mut command = evaluate(&["--detector", "hough-rust,centroid", "--scene", "clean"]);
        command.args(["--json", "--least-difference", margin]);
        let pair = summary(&run(command))["scenes"][0]["pairs"][0].clone();
        assert_eq!(pair["misses"]["verdict"], "undecided", "24 frames show no equal rate: {pair}");
        pair["distance"]["verdict"].clone()
    };
    assert_eq!(verdict("1000"), "no-relevant-difference");
    let unknown = run(evaluate(&["--least-difference", "-1"]));
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn a_ball_that_stands_still_shows_the_jitter() {
    let jitter = |more: &[&str]| {
        let mut args = vec!["--scene", "noisy", "--json"];
        args.extend(more);
        summary(&run(evaluate(&args)))["scenes"][0]["detectors"][0]["jitter"].clone()
    };
    assert_eq!(jitter(&[]), Value::Null);
    let still = jitter(&["-c", "scene.ball.speed=[0,0]"]).as_f64().unwrap();
    assert!(still > 0.0 && still < 0.05, "{still}");
}

#[test]
fn the_hint_about_the_radius_can_be_turned_off() {
    let hint = |more: &[&str]| {
        let mut args = vec!["--scene", "clean", "--json"];
        args.extend(more);
        summary(&run(evaluate(&args)))["detectors"][0]["radius_hint"][0].clone()
    };
    assert_eq!(hint(&[]), serde_json::json!({"min_radius": 19.2, "max_radius": 28.8}));
    assert_eq!(hint(&["--no-radius-hint"]), serde_json::json!({}));
    let mine = hint(&["-c", "plugin.hough-rust.min_radius=10"]);
    assert_eq!(mine, serde_json::json!({"max_radius": 28.8}));
    // Too small for the detector, which then looks for what it can.
    assert_eq!(hint(&["-c", "scene.ball.radius=1"]), serde_json::json!({}));
}

#[test]
fn what_is_filmed_otherwise_than_the_preset_says_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().to_str().unwrap();
    let args = ["--scene", "crowded", "-c", "scene.ball.count=3"];
    let output = run(evaluate(&[&args[..], &["--report", report]].concat()));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = "crowded: eight balls at once; but ball.count = 3, format = \"gray8\"\n";
    assert!(text.contains(said), "{text}");
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert!(read("index.html").contains("eight balls at once; but ball.count = 3"));
    let summary: Value = serde_json::from_str(&read("summary.json")).unwrap();
    let scene = &summary["scenes"][0];
    assert_eq!(scene["changes"], serde_json::json!({"ball.count": 3, "format": "gray8"}));
    assert_eq!(scene["config"]["seed"], 5);
    let settings = &summary["detectors"][0]["settings"];
    assert!(settings["max_circles"].is_u64() && settings["polarity"] == "both", "{settings}");
}

#[test]
fn a_detector_that_never_answers_is_a_failure() {
    let output = run(evaluate(&["--detector", "moody:panic_from=0,centroid"]));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("moody:panic_from=0 failed on every frame"), "{errors}");
    assert!(!errors.contains("centroid failed"), "{errors}");
    // A threshold says more.
    let output = run(evaluate(&["--detector", "moody:panic_from=0", "--require", "recall=0.5"]));
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_film_of_the_gauntlet_has_a_table_for_each_of_its_presets() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let film = ["scene", "--preset", "gauntlet", "--frames", "62", "--out", path];
    let film = run(host(film.iter().chain(&["-c", "scene.width=320", "-c", "scene.height=320"])));
    let errors = String::from_utf8_lossy(&film.stderr).into_owned();
    assert!(errors.contains("62 frames are not the whole gauntlet"), "{errors}");
    let summary = summary(&run(host(["evaluate", "--pictures", path, "--json"])));
    let part = |n: usize| {
        let scene = &summary["scenes"][n];
        (scene["name"].clone(), scene["detectors"][0]["frames"].clone())
    };
    assert_eq!(part(0), ("clean".into(), 60.into()));
    assert_eq!(part(1), ("seed-compat".into(), 2.into()));
}

#[test]
fn how_many_balls_the_numbers_are_about_is_said() {
    let output = run(evaluate(&["--scene", "crowded"]));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("too little visible"), "{text}");
    let known = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().filter(|w| *w != "│" && *w != "┆").collect();
        matches!(words[..], [known, "of", all]
            if known.parse::<u32>().unwrap() < all.parse::<u32>().unwrap())
    };
    assert!(text.lines().any(known), "{text}");
}

#[test]
fn a_report_may_be_anywhere() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join(std::ffi::OsStr::from_bytes(b"r\xff"));
    let mut command = evaluate(&["--report"]);
    let output = run({
        command.arg(&report);
        command
    });
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(report.join("index.html").is_file());
}

/// Six frames of `crowded` with their truth.
fn filmed(dir: &Path) -> &str {
    let path = dir.to_str().unwrap();
    let args = ["scene", "--preset", "crowded", "--frames", "6", "--seed", "5", "--out", path];
    assert_eq!(run(host(args.iter().chain(&["-c", "scene.format=gray8"]))).status.code(), Some(0));
    path
}

#[test]
fn pictures_in_files_are_scored_as_scenes_are_and_other_programs_beside_plugins() {
    let dir = tempfile::tempdir().unwrap();
    let frames = filmed(dir.path());
    // The other program is the detector itself, so that both must score the same.
    let pictures = (0..6).map(|n| format!("{frames}/{n:06}.png"));
    let args = ["detect", "--plugin", "hough-rust:max_radius=30"].map(str::to_owned);
    let detected = run(host(args.into_iter().chain(pictures)));
    let answers = dir.path().join("answers.jsonl");
    std::fs::write(&answers, &detected.stdout).unwrap();
    // One that answers by hand, and has seen one ball where none is.
    let by_hand = dir.path().join("by-hand.csv");
    let truth = std::fs::read_to_string(dir.path().join("truth.csv")).unwrap();
    let cells: Vec<&str> = truth.lines().nth(1).unwrap().split(',').collect();
    let rows = format!("frame,x,y\n0,{},{}\n5,1,1\n", cells[2], cells[3]);
    std::fs::write(&by_hand, rows).unwrap();
    let named = |name: &str, file: &Path| format!("{name}={}", file.display());
    let report = dir.path().join("report");
    let mut command = host(["evaluate", "--pictures", frames, "--json"]);
    command.args(["--detector", "hough-rust:max_radius=30", "--no-radius-hint"]);
    command.args(["--answers", &named("same", &answers), "--answers", &named("hand", &by_hand)]);
    let summary = summary(&run({
        command.arg("--report").arg(&report);
        command
    }));
    let scene = &summary["scenes"][0];
    assert_eq!((&scene["name"], &scene["config"]), (&"crowded".into(), &Value::Null));
    let [plugin, same, hand] = [0, 1, 2].map(|n| &scene["detectors"][n]);
    for key in ["found", "balls", "ignored", "rmse", "rmse_over_bound", "calibration", "l2"] {
        assert_eq!(plugin[key], same[key], "{key}");
    }
    assert!(plugin["found"].as_u64().unwrap() > 30 && plugin["ms"]["p50"].as_f64() > Some(0.0));
    assert!(plugin["rmse_over_bound"].as_f64().unwrap() < 2.0, "{plugin}");
    assert_eq!((&hand["found"], &hand["false_positives"]), (&1.into(), &1.into()));
    assert_eq!((&hand["rmse"], &hand["ms"]), (&0.0.into(), &Value::Null));
    assert_eq!(summary["max_radius_error"], Value::Null);
    let read = |name: &str| std::fs::read_to_string(report.join(name)).unwrap();
    assert!(read("false_positives.csv").contains("hand,1,,1,5,1.0,1.0,,1.0,000005.png"));
    let page = read("index.html");
    let again =
        format!("host evaluate --pictures {frames} --json --detector 'hough-rust:max_radius");
    assert!(page.contains(&again) && page.contains("000005.png"), "how to run it again");
    assert!(page.contains("hand answered to 2 of 6 pictures"), "{page}");
    assert!(!page.contains("labelled by hand"), "the bounds are known");
    // Times are asked of those that were timed.
    let mut command = host(["evaluate", "--pictures", frames, "--require", "ms=1000,recall=0.1"]);
    command.args(["--answers", &named("same", &answers)]);
    assert_eq!(run(command).status.code(), Some(0));
}

#[test]
fn pictures_that_cannot_be_scored_are_refused_with_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let frames = filmed(dir.path());
    let bad = dir.path().join("bad.csv");
    std::fs::write(&bad, "file,x,y\n000001.png,1,2\n7.png,1,2\n").unwrap();
    let bad = format!("mine={}", bad.display());
    let good = dir.path().join("good.csv");
    std::fs::write(&good, "file,x,y\n000001.png,1,2\n").unwrap();
    let good = format!("moody={}", good.display());
    let refused = |args: &[&str]| {
        let output = run(host(["evaluate"].iter().chain(args)));
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {errors}");
        errors
    };
    for (args, said) in [
        (&["--pictures", "/nowhere"][..], "/nowhere/truth.csv: cannot read it"),
        (&["--pictures", frames, "--answers", &bad], "bad.csv, line 3: there is no picture"),
        (&["--pictures", frames, "--answers", "mine"], "NAME=FILE"),
        (&["--pictures", frames, "--answers", &good, "--answers", &good], "another detector"),
        (
            &["--pictures", frames, "--answers", &good, "--detector", "moody"],
            "moody is the name of another detector",
        ),
        (&["--pictures", frames, "--scene", "clean"], "cannot be used with"),
        (&["--answers", "a=b"], "--pictures"),
    ] {
        let errors = refused(args);
        assert!(errors.contains(said), "{args:?}: {errors}");
    }
    // A picture whose header alone can be read, and one that is no longer there.
    let picture = dir.path().join("000003.png");
    let bytes = std::fs::read(&picture).unwrap();
    std::fs::write(&picture, &bytes[..bytes.len() / 2]).unwrap();
    let output = run(host(["evaluate", "--pictures", frames]));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("000003.png: cannot decode it"), "{errors}");
    std::fs::remove_file(&picture).unwrap();
    let errors = refused(&["--pictures", frames]);
    assert!(errors.contains("truth.csv: picture 000003.png: cannot open it"), "{errors}");
    let truth = |visible: &str| {
        let truth = format!("file,x,y,radius,visible\n000001.png,5,520,30,{visible}\n");
        std::fs::write(dir.path().join("truth.csv"), truth).unwrap();
    };
    truth("");
    let errors = refused(&["--pictures", frames]);
    assert!(errors.contains("000001.png has 640 x 480 pixels"), "{errors}");
    // What does not count may be anywhere.
    truth("0");
    assert_eq!(run(host(["evaluate", "--pictures", frames])).status.code(), Some(0));
}

#[test]
fn photographs_stand_each_for_itself_and_one_without_a_ball_has_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let frames = filmed(dir.path());
    let ball = |n: usize| format!("{n:06}.png,320,240,30,\n");
    let truth = format!("file,x,y,radius,visible\n{}{}000002.png,,,,\n", ball(0), ball(1));
    std::fs::write(dir.path().join("truth.csv"), truth).unwrap();
    let report = dir.path().join("report");
    let mut command = host(["evaluate", "--pictures", frames, "--json", "--detector"]);
    command.args(["moody:error_on=[2]", "--report"]).arg(&report);
    let summary = summary(&run(command));
    let scene = &summary["scenes"][0];
    assert_eq!((&scene["segment_frames"], &summary["frames"]), (&1.into(), &3.into()));
    let fault = scene["detectors"][0]["first_fault"].as_str().unwrap();
    assert!(fault.starts_with("000002.png: ") && fault.contains("not in the mood"), "{fault}");
    let rows = std::fs::read_to_string(report.join("frames.csv")).unwrap();
    let row = rows.lines().find(|row| row.contains(",empty,")).expect("a row without a ball");
    assert!(row.contains("not in the mood") && row.contains("000002.png"), "{row}");
    let page = std::fs::read_to_string(report.join("index.html")).unwrap();
    assert!(page.contains("labelled by hand"), "what the errors mean");
}

#[test]
fn a_find_may_be_asked_for_its_radius() {
    // The detector always says 20, of a ball of 24.
    let found = |share: &str| {
        let mut args = vec!["--detector", "moody", "--json", "-c", "scene.ball.start=[320, 240]"];
        args.extend(["-c", "scene.ball.speed=[0, 0]", "--max-radius-error", share]);
        let summary = summary(&run(evaluate(&args)));
        assert_eq!(summary["max_radius_error"].to_string(), share);
        summary["scenes"][0]["detectors"][0]["found"].as_u64().unwrap()
    };
    assert_eq!((found("0.2"), found("0.1")), (24, 0));
}
