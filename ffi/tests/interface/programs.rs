//! Programs in C and C++ on the library: the tests of `ffi/tests` and the examples, built by
//! CMake against a package as it is installed, and run against the sandbox program.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::checks::workspace::{libraries, root, scratch};
use serde_json::Value;

#[test]
fn programs_in_c_and_cpp_work_with_the_shared_and_the_static_library() {
    let scratch = scratch("programs");
    let package = package(&scratch);
    let sandbox = sandbox_program();
    let build = build(&root().join("ffi/tests"), &scratch.join("tests"), &package, Some(&sandbox));
    let mut ctest = Command::new("ctest");
    ctest.arg("--test-dir").arg(build).args(["--output-on-failure", "--parallel", "2", "--no-tests=error"]);
    succeed(&mut ctest);
}

/// The endings alone, as often as `WHIMBREL_REPEAT` says.
#[test]
fn programs_end_in_order() {
    let Ok(times) = std::env::var("WHIMBREL_REPEAT") else { return };
    let scratch = scratch("endings");
    let package = package(&scratch);
    let sandbox = sandbox_program();
    let build = build(&root().join("ffi/tests"), &scratch.join("tests"), &package, Some(&sandbox));
    let mut ctest = Command::new("ctest");
    ctest.arg("--test-dir").arg(build).args(["--output-on-failure", "--parallel", "2", "--no-tests=error"]);
    ctest.args(["--label-regex", "ending", "--repeat", &format!("until-fail:{times}")]);
    succeed(&mut ctest);
}

#[test]
fn the_echo_bots_answer() {
    let scratch = scratch("examples");
    let package = package(&scratch);
    let sandbox = sandbox_program();
    for language in ["c", "cpp"] {
        let build = build(&root().join("examples").join(language), &scratch.join(language), &package, None);
        let bot = build.join("echo_bot");
        an_echo_bot_answers(Command::new(&bot), &scratch.join(format!("{language}.plain")), &sandbox);
        // And leaves nothing behind, from linking to closing.
        an_echo_bot_answers(under_valgrind(&bot), &scratch.join(format!("{language}.valgrind")), &sandbox);
    }
}

fn under_valgrind(program: &Path) -> Command {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=all"]);
    valgrind.arg("--errors-for-leak-kinds=all");
    valgrind.arg(format!("--suppressions={}", root().join("ffi/tests/valgrind.supp").display()));
    valgrind.arg(program).env("RUST_BACKTRACE", "0");
    valgrind
}

/// Runs an echo bot against a sandbox of its own: links it, writes to it, and ends it.
fn an_echo_bot_answers(mut command: Command, folder: &Path, sandbox: &Path) {
    const PHONE: &str = "15550101";
    const FRIEND: &str = "15550102";
    fs::create_dir_all(folder).unwrap();
    let service = Service::start(sandbox);
    service.post("/phones", &format!(r#"{{"phone":"{PHONE}"}}"#));
    service.post("/phones", &format!(r#"{{"phone":"{FRIEND}"}}"#));
    let ready = folder.join("ready.json");
    fs::write(&ready, service.ready.to_string()).unwrap();

    command.arg("--sandbox").arg(&ready).arg(folder.join("echo.db"));
    let mut bot = Running::start(&mut command);
    let qr = bot.line_with("qr: ");
    let qr = serde_json::json!({ "qr": qr.trim_start_matches("qr: ").trim_end() });
    service.post(&format!("/phones/{PHONE}/scan"), &qr.to_string());
    bot.line_with(r#""state":"online""#);

    let words = serde_json::json!({ "to": format!("{PHONE}@s.whatsapp.net"), "text": "ping 🐦" });
    service.post(&format!("/phones/{FRIEND}/send"), &words.to_string());
    let answer = service.get(&format!("/phones/{FRIEND}/messages?wait_ms=30000"));
    assert!(answer.contains("ping 🐦"), "{}: {answer}", folder.display());
    assert!(bot.finish().success(), "{}", folder.display());
}

#[test]
fn the_media_programs_send_and_save() {
    let scratch = scratch("media");
    let package = package(&scratch);
    let sandbox = sandbox_program();
    for language in ["c", "cpp"] {
        let build = build(&root().join("examples").join(language), &scratch.join(language), &package, None);
        let program = build.join("media");
        files_are_saved_and_sent(
            &|| Command::new(&program),
            &scratch.join(format!("{language}.plain")),
            &sandbox,
        );
        let under_valgrind = || under_valgrind(&program);
        files_are_saved_and_sent(&under_valgrind, &scratch.join(format!("{language}.valgrind")), &sandbox);
    }
}

/// Runs a media program: links it and saves a picture, then sends one.
fn files_are_saved_and_sent(program: &dyn Fn() -> Command, folder: &Path, sandbox: &Path) {
    const PHONE: &str = "15550101";
    const FRIEND: &str = "15550102";
    // A picture of one by two.
    const PICTURE: &[u8] =
        b"GIF89a\x01\x00\x02\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x02\x00\x00\x02\x02D\x01\x00;";
    const PICTURE_BASE64: &str = "R0lGODlhAQACAAAAACwAAAAAAQACAAACAkQBADs=";
    let saved = folder.join("saved");
    fs::create_dir_all(&saved).unwrap();
    let service = Service::start(sandbox);
    service.post("/phones", &format!(r#"{{"phone":"{PHONE}"}}"#));
    service.post("/phones", &format!(r#"{{"phone":"{FRIEND}"}}"#));
    let (ready, picture) = (folder.join("ready.json"), folder.join("picture \"1\".gif"));
    fs::write(&ready, service.ready.to_string()).unwrap();
    fs::write(&picture, PICTURE).unwrap();
    let start = |words: &[&std::ffi::OsStr]| {
        let mut command = program();
        command.arg("--sandbox").arg(&ready).arg("--store").arg(folder.join("media.db")).args(words);
        Running::start(&mut command)
    };

    let mut saving = start(&["save".as_ref(), saved.as_ref()]);
    let qr = saving.line_with("qr: ");
    let qr = serde_json::json!({ "qr": qr.trim_start_matches("qr: ").trim_end() });
    service.post(&format!("/phones/{PHONE}/scan"), &qr.to_string());
    saving.line_with("online");
    let words = serde_json::json!({ "to": format!("{PHONE}@s.whatsapp.net"), "text": "no file" });
    service.post(&format!("/phones/{FRIEND}/send"), &words.to_string());
    let file = serde_json::json!({
        "to": format!("{PHONE}@s.whatsapp.net"), "kind": "image", "mimetype": "image/gif", "base64": PICTURE_BASE64
    });
    service.post(&format!("/phones/{FRIEND}/send-media"), &file.to_string());
    let path = saving.line_with("saved ");
    assert_eq!(fs::read(path.trim_start_matches("saved ").trim_end()).unwrap(), PICTURE);
    assert_eq!(fs::read_dir(&saved).unwrap().count(), 1);
    assert!(saving.finish().success(), "{}", folder.display());

    let mut sending = start(&["send".as_ref(), FRIEND.as_ref(), picture.as_ref()]);
    let sent = sending.line_with("sent ");
    let json = sent.find('{').and_then(|at| sent.get(at..)).unwrap();
    let sent: Value = serde_json::from_str(json).unwrap();
    let id = sent["messageId"].as_str().unwrap();
    let received = service.get(&format!("/phones/{FRIEND}/media/{id}?wait_ms=30000"));
    assert!(received.contains(PICTURE_BASE64), "{}: {received}", folder.display());
    assert!(sending.finish().success(), "{}", folder.display());
}

#[test]
fn the_event_logger_writes_each_event_once() {
    const PHONE: &str = "15550101";
    const FRIEND: &str = "15550102";
    let scratch = scratch("logger");
    let package = package(&scratch);
    let sandbox = sandbox_program();
    let build = build(&root().join("examples/cpp"), &scratch.join("cpp"), &package, None);
    let service = Service::start(&sandbox);
    service.post("/phones", &format!(r#"{{"phone":"{PHONE}"}}"#));
    service.post("/phones", &format!(r#"{{"phone":"{FRIEND}"}}"#));
    let (ready, log) = (scratch.join("ready.json"), scratch.join("events.log"));
    fs::write(&ready, service.ready.to_string()).unwrap();
    let start = || {
        let mut command = Command::new(build.join("event_logger"));
        command.arg("--sandbox").arg(&ready).args(["--bytes", "4000"]);
        Running::start(command.arg(scratch.join("logger.db")).arg(&log))
    };

    let mut logger = start();
    let qr = logger.line_with("qr: ");
    let qr = serde_json::json!({ "qr": qr.trim_start_matches("qr: ").trim_end() });
    service.post(&format!("/phones/{PHONE}/scan"), &qr.to_string());
    let send = |number: u32| {
        let words =
            serde_json::json!({ "to": format!("{PHONE}@s.whatsapp.net"), "text": format!("no. {number}") });
        service.post(&format!("/phones/{FRIEND}/send"), &words.to_string());
    };
    let logged = |logger: &mut Running, wanted: &str| {
        let file = |name: &Path| fs::read_to_string(name).unwrap_or_default();
        loop {
            logger.line_with("logged ");
            let rotated = (1..99).rev().map(|number| file(&scratch.join(format!("events.log.{number}"))));
            let text = rotated.chain([file(&log)]).collect::<String>();
            if text.contains(wanted) {
                return text;
            }
        }
    };
    // Before that nobody knows of the device.
    logged(&mut logger, "\"state\":\"online\"");
    for number in 0..10 {
        send(number);
    }
    logged(&mut logger, "no. 9\"");
    // Killed, it goes on where it was.
    logger.child.kill().unwrap();
    for number in 10..20 {
        send(number);
    }
    let mut logger = start();
    let text = logged(&mut logger, "no. 19\"");
    assert!(logger.finish().success());
    assert!(scratch.join("events.log.1").exists(), "it is rotated");

    let sequences: Vec<u64> = text
        .lines()
        .filter_map(|line| line.split(' ').next()?.parse().ok())
        .filter(|sequence| *sequence != 0)
        .collect();
    let last = sequences.len() as u64;
    assert_eq!(sequences, (1..=last).collect::<Vec<_>>(), "no gaps and no repetitions");
    for number in 0..20 {
        let words = format!("\"text\":\"no. {number}\"");
        assert_eq!(text.lines().filter(|line| line.contains(&words)).count(), 1, "no. {number}");
    }
}

/// Lays out a package as it is installed, around the libraries that cargo has just built.
fn package(scratch: &Path) -> PathBuf {
    let prefix = scratch.join("prefix");
    let cmake = prefix.join("lib/cmake/Whimbrel");
    fs::create_dir_all(&cmake).unwrap();
    symlink(root().join("include"), prefix.join("include")).unwrap();
    symlink(libraries().join("libwhimbrel_ffi.so"), prefix.join("lib/libwhimbrel.so.1")).unwrap();
    symlink("libwhimbrel.so.1", prefix.join("lib/libwhimbrel.so")).unwrap();
    symlink(libraries().join("libwhimbrel_ffi.a"), prefix.join("lib/libwhimbrel.a")).unwrap();
    let config = "WhimbrelConfig.cmake";
    fs::copy(root().join("ffi/packaging").join(config), cmake.join(config)).unwrap();
    prefix
}

fn build(source: &Path, build: &Path, package: &Path, sandbox: Option<&Path>) -> PathBuf {
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(source).arg("-B").arg(build);
    configure.arg(format!("-DWhimbrel_DIR={}", package.join("lib/cmake/Whimbrel").display()));
    configure.arg(format!("-DWHIMBREL_SANDBOX={}", sandbox.unwrap_or(Path::new("")).display()));
    configure.arg("--no-warn-unused-cli");
    succeed(&mut configure);
    succeed(Command::new("cmake").arg("--build").arg(build).args(["--parallel", "2"]));
    build.to_owned()
}

/// Builds the sandbox program beside the libraries, unless that was done.
fn sandbox_program() -> PathBuf {
    let target = libraries().parent().unwrap().to_owned();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "-p", "whimbrel-sandbox", "--bin", "whimbrel-sandbox", "--target-dir"]);
    cargo.arg(target.parent().unwrap()).arg("--manifest-path").arg(root().join("Cargo.toml"));
    if target.ends_with("release") {
        cargo.arg("--release");
    }
    succeed(&mut cargo);
    target.join("whimbrel-sandbox")
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let told = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&told));
}

/// A running program that ends when its input does.
struct Running {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { child, lines, seen: Vec::new() }
    }

    fn line_with(&mut self, part: &str) -> String {
        // Long enough for valgrind on a busy machine.
        let deadline = Instant::now() + Duration::from_secs(180);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no line with {part}:\n{}", self.seen.join("\n"));
            };
            self.seen.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    fn finish(mut self) -> std::process::ExitStatus {
        drop(self.child.stdin.take());
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already unless the test failed.
        let _ = self.child.kill();
    }
}

/// The sandbox program and its control API.
struct Service {
    _program: Running,
    ready: Value,
}

impl Service {
    fn start(program: &Path) -> Self {
        let mut program = Running::start(Command::new(program).args(["--exit-with-parent", "--strict"]));
        let ready = serde_json::from_str(&program.line_with("control")).unwrap();
        Self { _program: program, ready }
    }

    fn text(&self, pointer: &str) -> String {
        self.ready.pointer(pointer).and_then(Value::as_str).unwrap().to_owned()
    }

    fn get(&self, path: &str) -> String {
        self.request("GET", path, "")
    }

    fn post(&self, path: &str, body: &str) -> String {
        self.request("POST", path, body)
    }

    fn request(&self, method: &str, path: &str, body: &str) -> String {
        use std::io::{Read as _, Write as _};
        let address = self.text("/control");
        let mut stream = std::net::TcpStream::connect(address.trim_start_matches("http://")).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        answer
    }
}
