//! The sandbox as a program: prints one line of JSON when it is ready, then serves until told to stop.

use std::io::Write as _;
use std::process::ExitCode;

use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};
use whimbrel_sandbox::control::{self, ControlOptions};
use whimbrel_sandbox::{Options, Sandbox};

const HELP: &str = "\
whimbrel-sandbox: the service's side of the protocol with simulated phones, on loopback

Usage: whimbrel-sandbox [options]

  --port N            port of the service's socket (default: any free one)
  --control-port N    port of the control API (default: any free one)
  --seed N            seed of every key and id; the same seed gives the same run (default: 0)
  --strict            refuse what no real client would send
  --echo              phones send back every text they receive
  --exit-with-parent  stop when standard input is closed
  --help              show this text

When ready it prints one line of JSON on standard output:
  ws, wss      addresses for clients, plain and with TLS, on the same port
  noiseRoot    public key (hex) and serial that clients must trust instead of the real service's
  caPem        certificate authority of the wss address
  control      address of the control API

The control API (JSON; errors are {\"error\":{\"code\",\"message\"}}):
  POST /phones {phone?,name?,lid?}      GET  /phones, /phones/N
  POST /phones/N/scan {qr}              POST /phones/N/code {code}
  POST /phones/N/send {to,text}         POST /phones/N/read {chat,ids}
  GET  /phones/N/messages?after&wait_ms GET  /phones/N/receipts?after&wait_ms
  POST /phones/N/switches {auto_read?,echo?,silent?,lenient_qr?,tells_list?,damage_next?}
  POST /phones/N/offline, /phones/N/online, /phones/N/unlink {device}
  POST /phones/N/reset-session {device}, /phones/N/forget-group-keys {group}
  POST /phones/N/send and /phones/N/read take groups too
  POST /phones/N/migrate, /phones/N/new-lid, /phones/N/change-number {to}
  POST /phones/N/new-raw-id             POST /hosted {device}
  POST /phones/N/share-number {to}      (lid: pn_only, unmigrated, migrated)
  POST /groups {creator,subject?,members?,addressing?}  GET /groups, /groups/JID
  POST /crowd {count}: people to fill groups with, whose messages are only counted
  PATCH /groups/JID {by,subject?,announce?,locked?,addressing?}
  POST /groups/JID/add, remove, promote, demote {by,members}; /groups/JID/leave {by}
  GET  /state, /violations, /findings   GET  /events?after&wait_ms
  POST /faults {device?,stanza,fault,skip,count}, DELETE /faults
  POST /stream-error {device,code?,conflict?}, /disconnect {device}, /unlink {device}
  POST /bar {phone,reason?}, /clock {advance_s}, /shutdown; GET /clock, /health
  POST /black-hole {open}               POST /version {min?,revision?}
  POST /restrict {phone,kind,lasts_s?,announce?}   POST /restrict/lift {phone,kind,announce?}
  POST /prekeys/lose {device,keep?}     POST /refresh-code {phone,by_hand?}

Log lines go to standard error; the environment variable WHIMBREL_LOG sets their level
(error, warn, info, debug, trace; default: warn).
";

/// What the command line asks for.
#[derive(Debug, Default)]
struct Arguments {
    options: Options,
    control: ControlOptions,
    exit_with_parent: bool,
}

/// What is wrong with a command line.
#[derive(Debug, PartialEq, Eq)]
enum UsageError {
    /// Not an error: the user asks how to use the program.
    Help,
    Unknown(String),
    NoValue(String),
    BadValue(String, String),
}

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Help => f.write_str(HELP),
            Self::Unknown(option) => write!(f, "unknown option {option}"),
            Self::NoValue(option) => write!(f, "{option} needs a value"),
            Self::BadValue(option, value) => write!(f, "{option} cannot be {value}"),
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, UsageError> {
    let mut parsed = Arguments::default();
    while let Some(argument) = arguments.next() {
        let (option, mut attached) = match argument.split_once('=') {
            Some((option, value)) => (option.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        match option.as_str() {
            "--port" => parsed.options.port = number(&option, attached.take(), &mut arguments)?,
            "--control-port" => parsed.control.port = number(&option, attached.take(), &mut arguments)?,
            "--seed" => parsed.options.seed = number(&option, attached.take(), &mut arguments)?,
            "--strict" => parsed.options.strict = true,
            "--echo" => parsed.control.echo = true,
            "--exit-with-parent" => parsed.exit_with_parent = true,
            "--help" | "-h" => return Err(UsageError::Help),
            _ => return Err(UsageError::Unknown(option)),
        }
        if let Some(value) = attached {
            return Err(UsageError::BadValue(option, value));
        }
    }
    Ok(parsed)
}

fn number<T: std::str::FromStr>(
    option: &str,
    attached: Option<String>,
    arguments: &mut impl Iterator<Item = String>,
) -> Result<T, UsageError> {
    let value =
        attached.or_else(|| arguments.next()).ok_or_else(|| UsageError::NoValue(option.to_owned()))?;
    value.parse().map_err(|_| UsageError::BadValue(option.to_owned(), value))
}

/// Completes when standard input is closed; never if that is not wanted.
async fn parent_gone(wanted: bool) {
    if !wanted {
        return std::future::pending().await;
    }
    let mut input = tokio::io::stdin();
    let mut buffer = [0; 256];
    while !matches!(input.read(&mut buffer).await, Ok(0) | Err(_)) {}
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let sandbox = Sandbox::start(arguments.options).await?;
    let control = control::serve(sandbox.clone(), arguments.control).await?;

    let root = sandbox.noise_root();
    let ready = serde_json::json!({
        "ws": sandbox.ws_url(),
        "wss": sandbox.wss_url(),
        "noiseRoot": { "publicKey": hex::encode(root.public_key), "serial": root.serial },
        "caPem": sandbox.ca_pem(),
        "control": format!("http://{}", control.address()),
    });
    let mut output = std::io::stdout().lock();
    writeln!(output, "{ready}")?;
    output.flush()?;
    drop(output);

    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
        () = control.stop_requested() => {}
        () = parent_gone(arguments.exit_with_parent) => {}
    }
    control.stop().await;
    sandbox.stop();
    Ok(())
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(UsageError::Help) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("whimbrel-sandbox: {error}\nTry whimbrel-sandbox --help.");
            return ExitCode::from(2);
        }
    };
    let level = std::env::var("WHIMBREL_LOG").ok().and_then(|level| level.parse().ok());
    tracing_subscriber::fmt()
        .with_max_level(level.unwrap_or(tracing_subscriber::filter::LevelFilter::WARN))
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("whimbrel-sandbox: failed to start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(run(arguments));
    // A read of standard input that nobody waits for any more must not hold the process up.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("whimbrel-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Arguments, UsageError> {
        parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_both_spellings_of_values() {
        let parsed = parse_words("--port 7001 --control-port=7002 --seed 9 --strict --echo").unwrap();
        assert_eq!((parsed.options.port, parsed.control.port, parsed.options.seed), (7001, 7002, 9));
        assert!(parsed.options.strict && parsed.control.echo && !parsed.exit_with_parent);
    }

    #[test]
    fn says_what_is_wrong() {
        let refused = |words| parse_words(words).unwrap_err().to_string();
        assert_eq!(refused("--prot 1"), "unknown option --prot");
        assert_eq!(refused("--port"), "--port needs a value");
        assert_eq!(refused("--port many"), "--port cannot be many");
        assert_eq!(refused("--strict=yes"), "--strict cannot be yes");
        assert_eq!(parse_words("--help").unwrap_err(), UsageError::Help);
    }
}
