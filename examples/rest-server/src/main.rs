//! `whimbrel-rest`: the server as a program.

use std::process::ExitCode;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use whimbrel_rest::{Flags, RestServer, Settings};

#[tokio::main]
async fn main() -> ExitCode {
    let settings = match Flags::parse().settle() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("whimbrel-rest: {error}");
            return ExitCode::from(2);
        }
    };
    log(&settings);
    match run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("whimbrel-rest: {error}");
            ExitCode::FAILURE
        }
    }
}

fn log(settings: &Settings) {
    let filter = EnvFilter::try_from_env("WHIMBREL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if settings.json_log { log.json().init() } else { log.init() }
}

async fn run(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    let mut ended = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    #[cfg(feature = "sandbox")]
    let (settings, sandbox) = whimbrel_rest::sandbox::beside(settings).await?;
    #[cfg(not(feature = "sandbox"))]
    if settings.sandbox {
        return Err("this build has no sandbox".into());
    }
    let server = RestServer::start(settings).await?;
    println!("listening at {}", server.url());
    if let Some(key) = server.new_root_key() {
        println!("root key, shown this once: {key}");
    }
    #[cfg(feature = "sandbox")]
    if let Some(sandbox) = &sandbox {
        println!("sandbox control at {}", sandbox.control_url());
    }
    tokio::select! {
        _ = ended.recv() => {}
        _ = interrupted.recv() => {}
    }
    server.stop().await;
    Ok(())
}
