//! The program that is killed while it moves a link: imports, exports or backs up once.

use whimbrel::{CallOptions, ClientOptions, Engine, EngineOptions, ExportOptions, ImportSource};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn run() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [operation, source, target] = arguments.as_slice() else {
        return Err("wanted: operation, source, target".into());
    };
    let engine = Engine::new(EngineOptions::default())?;
    let mut options = ClientOptions::default();
    options.auto_start = false;
    let client = if operation == "import" { None } else { Some(engine.open(source, options)?) };
    println!("ready");
    engine.handle().clone().block_on(async {
        match (operation.as_str(), &client) {
            ("export", Some(client)) => {
                client.export(target, "sesame".into(), ExportOptions::default()).await?;
            }
            ("backup", Some(client)) => client.backup(target, CallOptions::default()).await?,
            _ => {
                let source = ImportSource::Baileys { folder: source.into() };
                engine.import_async(source, target).await?;
            }
        }
        Ok::<_, Failure>(())
    })?;
    println!("done");
    Ok(())
}

fn main() {
    if let Err(error) = run() {
        println!("failed {error:?}");
        std::process::exit(1);
    }
}
