//! `umbral`: see `umbral --help`.

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = api::cli::Cli::parse();
    if let Err(fault) = keep_memory() {
        eprintln!("umbral: core files are not switched off: {fault}");
    }
    let done = actix_web::rt::System::with_tokio_rt(|| match runtime() {
        Ok(runtime) => runtime,
        Err(fault) => {
            eprintln!("umbral: {fault}");
            std::process::exit(1);
        }
    })
    .block_on(api::cli::run(cli));
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(api::cli::Failed(text)) => {
            eprintln!("umbral: {text}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// What is in memory does not go to the disk when the program crashes: who women are is among it.
fn keep_memory() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}
