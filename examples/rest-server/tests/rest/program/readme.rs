use std::process::Command;

use super::Program;

/// The second block of commands of the README, as it is printed there.
fn commands() -> String {
    let readme = include_str!("../../../README.md");
    let blocks: Vec<&str> =
        readme.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    blocks[1].to_owned()
}

#[test]
fn the_lines_of_the_readme_work_as_printed() {
    let folder = std::env::temp_dir().join(format!("whimbrel-rest-readme-{}", std::process::id()));
    let program = Program::start(&["--sandbox", "--root-key", "change-me-to-a-secret"], &folder);
    let script = commands().replace("http://127.0.0.1:8085", &program.url);
    let output = Command::new("bash")
        .args(["-e", "-u", "-o", "pipefail", "-c", &script])
        .env("CONTROL", program.control.as_ref().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for words in [
        "\"status\":\"sent\"",
        "\"state\":\"online\"",
        "\"state\":\"open\"",
        "\"conversation\":\"hello again\"",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
}
