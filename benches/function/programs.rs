//! What is measured: our own programs, and a command that somebody gives.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use inspector_triage::app::failure::BoxError;

/// A function to be measured.
pub struct Program {
    /// What the table calls it.
    pub name: &'static str,
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// How large it is, if it is one file.
    pub size: Option<Size>,
}

/// How large a program is, in bytes.
#[derive(Clone, Copy)]
pub struct Size {
    /// The file.
    pub binary: u32,
    /// The file in a zip.
    pub zip: u32,
}

/// Builds one of our own as it is deployed: the binary `name` of `package`.
pub fn build(name: &'static str, package: &str, scratch: &Path) -> Result<Program, BoxError> {
    let arguments = ["build", "--release", "--package", package, "--bin", name];
    println!("cargo {}", arguments.join(" "));
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo says of this benchmark would have crates built anew whose build scripts look at it.
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&variable);
        }
    }
    run(cargo.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")))?;
    let target =
        scratch.ancestors().nth(2).ok_or("the scratch folder is not in the target folder")?;
    let binary = target.join("release").join(name);
    let size = size(&binary, scratch)?;
    Ok(Program { name, command: vec![binary.into()], size: Some(size) })
}

/// The command that somebody gives.
pub fn given(command: Vec<OsString>, scratch: &Path) -> Result<Program, BoxError> {
    // A program that takes arguments is an interpreter or so, whose size says nothing.
    let size = match &command[..] {
        [binary] => Some(size(Path::new(binary), scratch)?),
        _ => None,
    };
    Ok(Program { name: "command", command, size })
}

/// The zip is made as `.ci/run` makes it, so that the figures are the same.
fn size(binary: &Path, scratch: &Path) -> Result<Size, BoxError> {
    let zip: PathBuf = scratch.join("function.zip");
    run(Command::new("python3").args(["-m", "zipfile", "-c"]).args([&zip, binary]))?;
    let bytes = |file: &Path| Ok::<_, BoxError>(fs::metadata(file)?.len().try_into()?);
    Ok(Size { binary: bytes(binary)?, zip: bytes(&zip)? })
}

fn run(command: &mut Command) -> Result<(), BoxError> {
    let status = command.status().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed: {status}").into()) }
}
