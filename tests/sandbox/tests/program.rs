//! The program and its control API, as somebody uses them who cannot link the library.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(30);

struct Program {
    child: Child,
    ready: Value,
}

impl Program {
    async fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_whimbrel-sandbox"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        timeout(DEADLINE, output.read_line(&mut line)).await.unwrap().unwrap();
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }

    /// A request to the control API; the status and the JSON of the answer.
    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let address = self.ready["control"].as_str().unwrap().strip_prefix("http://").unwrap();
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() })
    }

    async fn end(&mut self) -> Option<i32> {
        timeout(DEADLINE, self.child.wait()).await.unwrap().unwrap().code()
    }
}

#[tokio::test]
async fn phones_are_made_and_chat_over_http() {
    let mut program = Program::start(&["--strict", "--seed", "7"]).await;
    for key in ["ws", "wss", "caPem", "control"] {
        assert!(program.ready[key].is_string(), "{key} in {}", program.ready);
    }
    assert_eq!(program.ready["noiseRoot"]["publicKey"].as_str().unwrap().len(), 64);

    let (status, ana) =
        program.call("POST", "/phones", Some(json!({"phone": "15550001", "name": "Ana"}))).await;
    assert_eq!((status, ana["name"].as_str()), (201, Some("Ana")));
    let (status, ben) = program.call("POST", "/phones", Some(json!({}))).await;
    assert_eq!((status, ben["online"].as_bool()), (201, Some(true)));
    let number = ben["phone"].as_str().unwrap();

    let message = json!({"to": number, "text": "hello"});
    let (status, sent) = program.call("POST", "/phones/15550001/send", Some(message)).await;
    assert_eq!(status, 200, "{sent}");
    let (_, got) =
        program.call("GET", &format!("/phones/{number}/messages?after=0&wait_ms=20000"), None).await;
    let first = &got["items"][0];
    assert_eq!((first["text"].as_str(), &first["id"]), (Some("hello"), &sent["id"]));

    let read = json!({"chat": first["chat"], "ids": [first["id"]]});
    let (status, _) = program.call("POST", &format!("/phones/{number}/read"), Some(read)).await;
    assert_eq!(status, 204);
    let kinds = program.receipts_until("read").await;
    assert_eq!(kinds, ["delivered", "read"]);

    let (_, state) = program.call("GET", "/state", None).await;
    assert_eq!(state["devices"].as_array().unwrap().len(), 2);
    for list in ["violations", "findings"] {
        assert_eq!(program.call("GET", &format!("/{list}"), None).await.1, json!({"items": []}));
    }
    let (_, events) = program.call("GET", "/events?after=0", None).await;
    assert!(events["items"].as_array().unwrap().iter().any(|event| event["event"] == "accepted"), "{events}");

    let (_, before) = program.call("GET", "/clock", None).await;
    let (_, after) = program.call("POST", "/clock", Some(json!({"advance_s": 86_400}))).await;
    assert!(after["now"].as_u64().unwrap() >= before["now"].as_u64().unwrap() + 86_400);

    assert_eq!(program.call("POST", "/shutdown", None).await.0, 202);
    assert_eq!(program.end().await, Some(0));
}

impl Program {
    /// Kinds of the receipts that the first phone got, up to and with this kind.
    async fn receipts_until(&self, kind: &str) -> Vec<String> {
        let mut kinds = Vec::new();
        let mut after = 0;
        while kinds.last().is_none_or(|last| last != kind) {
            let path = format!("/phones/15550001/receipts?after={after}&wait_ms=20000");
            let (_, answer) = self.call("GET", &path, None).await;
            let items = answer["items"].as_array().unwrap();
            assert!(!items.is_empty(), "no receipt {kind} after {kinds:?}");
            for item in items {
                after = item["seq"].as_u64().unwrap();
                kinds.push(item["kind"].as_str().unwrap().to_owned());
            }
        }
        kinds
    }
}

#[tokio::test]
async fn errors_say_what_is_wrong() {
    let program = Program::start(&[]).await;
    program.call("POST", "/phones", Some(json!({"phone": "15550001"}))).await;
    let cases = [
        ("GET", "/nowhere", None, 404, "not_found"),
        ("GET", "/shutdown", None, 405, "method_not_allowed"),
        ("GET", "/phones/15559999", None, 404, "not_found"),
        ("POST", "/phones", Some(json!({"phone": "0123"})), 400, "bad_number"),
        ("POST", "/phones", Some(json!({"nmae": "x"})), 422, "bad_request"),
        ("POST", "/phones/15550001/scan", Some(json!({"qr": "x"})), 400, "bad_qr"),
        ("POST", "/phones/15550001/code", Some(json!({"code": "x"})), 400, "bad_code"),
        ("POST", "/phones/15550001/send", Some(json!({"to": "15559999", "text": "x"})), 404, "unknown_user"),
        ("POST", "/phones/15550001/unlink", Some(json!({"device": 3})), 409, "refused"),
        ("GET", "/events?wait_ms=999999999", None, 400, "bad_request"),
        ("POST", "/disconnect", Some(json!({"device": "15550001:9"})), 404, "not_found"),
    ];
    for (method, path, body, status, code) in cases {
        let (got, answer) = program.call(method, path, body).await;
        assert_eq!(
            (got, answer["error"]["code"].as_str()),
            (status, Some(code)),
            "{method} {path}: {answer}"
        );
        assert!(answer["error"]["message"].is_string());
    }
}

#[tokio::test]
async fn phones_can_be_taken_off_the_net() {
    let program = Program::start(&["--echo"]).await;
    program.call("POST", "/phones", Some(json!({"phone": "15550001"}))).await;
    assert_eq!(program.call("POST", "/phones/15550001/offline", None).await.0, 204);
    let (_, phone) = program.call("GET", "/phones/15550001", None).await;
    assert_eq!((phone["online"].as_bool(), phone["switches"]["echo"].as_bool()), (Some(false), Some(true)));
    assert_eq!(program.call("POST", "/phones/15550001/online", None).await.0, 204);
    let change = json!({"auto_read": true, "echo": false});
    let (_, switches) = program.call("POST", "/phones/15550001/switches", Some(change)).await;
    assert_eq!((switches["auto_read"].as_bool(), switches["echo"].as_bool()), (Some(true), Some(false)));
}

#[tokio::test]
async fn groups_are_made_and_changed_over_http() {
    let program = Program::start(&["--strict"]).await;
    for phone in ["15550001", "15550002", "15550003"] {
        program.call("POST", "/phones", Some(json!({ "phone": phone }))).await;
    }
    let (status, crowd) = program.call("POST", "/crowd", Some(json!({"count": 20}))).await;
    assert_eq!((status, crowd["items"].as_array().unwrap().len()), (201, 20));
    let mut members = crowd["items"].as_array().unwrap().clone();
    members.push(json!("15550002"));
    let group = json!({"creator": "15550001", "subject": "Birds", "members": members, "addressing": "pn"});
    let (status, group) = program.call("POST", "/groups", Some(group)).await;
    assert_eq!((status, group["addressing_mode"].as_str()), (201, Some("pn")));
    let jid = group["jid"].as_str().unwrap();
    let path = |rest: &str| format!("/groups/{jid}{rest}");
    let added = json!({"by": "15550001", "members": ["15550003"]});
    let (_, state) = program.call("POST", &path("/add"), Some(added.clone())).await;
    assert_eq!(state["members"].as_array().unwrap().len(), 23);
    assert_eq!(program.call("POST", &path("/add"), Some(added)).await.0, 409);
    let change = json!({"by": "15550001", "subject": "Fish", "announce": true, "addressing": "lid"});
    let (_, state) = program.call("PATCH", &path(""), Some(change)).await;
    assert_eq!((state["subject"].as_str(), state["announce"].as_bool()), (Some("Fish"), Some(true)));
    assert_eq!(program.call("POST", &path("/leave"), Some(json!({"by": "15550002"}))).await.0, 200);
    let text = json!({"to": jid, "text": "hello"});
    let (_, sent) = program.call("POST", "/phones/15550001/send", Some(text.clone())).await;
    let (_, got) = program.call("GET", "/phones/15550003/messages?wait_ms=20000", None).await;
    assert_eq!((&got["items"][0]["id"], &got["items"][0]["chat"]), (&sent["id"], &group["jid"]));
    // Only admins write here, and whoever left is no member.
    for phone in ["15550002", "15550003"] {
        let refused = program.call("POST", &format!("/phones/{phone}/send"), Some(text.clone())).await;
        assert_eq!((refused.0, refused.1["error"]["code"].as_str()), (409, Some("refused")));
    }
    let (_, state) = program.call("GET", "/groups", None).await;
    assert_eq!(state["items"].as_array().unwrap().len(), 1);
    let (_, events) = program.call("GET", "/events", None).await;
    let changes = events["items"].as_array().unwrap().iter();
    let changes: Vec<&str> = changes.filter_map(|event| event["change"].as_str()).collect();
    assert_eq!(changes, ["create", "add", "subject", "announcement", "addressing lid", "remove"]);
    assert_eq!(program.call("GET", "/groups/120363@g.us", None).await.0, 404);
}

#[tokio::test]
async fn it_stops_by_signal_and_with_its_parent() {
    for signal in ["-TERM", "-INT"] {
        let mut program = Program::start(&[]).await;
        let id = program.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
        assert_eq!(program.end().await, Some(0), "after {signal}");
    }
    let mut program = Program::start(&["--exit-with-parent"]).await;
    drop(program.child.stdin.take());
    assert_eq!(program.end().await, Some(0));
}

#[tokio::test]
async fn a_wrong_command_line_is_explained() {
    let run = async |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_whimbrel-sandbox")).args(arguments).output();
        let output = timeout(DEADLINE, output).await.unwrap().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, _, explained) = run(&["--colour"]).await;
    assert_eq!(code, Some(2));
    assert!(explained.contains("unknown option --colour") && explained.contains("--help"), "{explained}");
    let (code, help, _) = run(&["--help"]).await;
    assert_eq!(code, Some(0));
    assert!(help.contains("--control-port") && help.contains("POST /phones"), "{help}");
}
