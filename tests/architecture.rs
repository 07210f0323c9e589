//! The arrows between the rooms of the house: which part of the program may know which other, and which crates.
//!
//! Reads the sources as tokens, so that macros and attributes count, too.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A room, the rooms it may look into, and the crates it may use beyond [`EVERYWHERE`].
struct Room {
    name: &'static str,
    rooms: &'static [&'static str],
    crates: &'static [&'static str],
}

const fn room(
    name: &'static str,
    rooms: &'static [&'static str],
    crates: &'static [&'static str],
) -> Room {
    Room { name, rooms, crates }
}

/// Crates that any room may use.
const EVERYWHERE: [&str; 4] = ["jiff", "serde", "serde_json", "thiserror"];

/// The house.
const HOUSE: &[Room] = &[
    room("domain", &[], &["cvss", "serde_with", "sha2", "strip_ansi_escapes", "wildmatch"]),
    room(
        "ledger",
        &["domain"],
        &["granit_parser", "packageurl", "sha2", "strsim", "toml_edit", "wildmatch"],
    ),
    room("render", &["domain"], &["askama", "base64", "comfy_table", "textwrap"]),
    room("app", &["domain", "render"], &["futures_util"]),
    room(
        "adapters",
        &["domain", "render", "app"],
        &[
            "aws_config",
            "aws_sdk_cloudformation",
            "aws_sdk_cloudwatch",
            "aws_sdk_dynamodb",
            "aws_sdk_ecr",
            "aws_sdk_eventbridge",
            "aws_sdk_inspector2",
            "aws_sdk_kms",
            "aws_sdk_lambda",
            "aws_sdk_s3",
            "aws_sdk_secretsmanager",
            "aws_sdk_sns",
            "aws_sdk_sqs",
            "aws_smithy_http_client",
            "aws_smithy_runtime_api",
            "aws_smithy_types",
            "aws_types",
            "futures_util",
            "serde_dynamo",
            "sha2",
            "tokio",
            "tracing",
        ],
    ),
    room(
        "lambda",
        &["domain", "render", "app", "adapters"],
        &["aws_lambda_events", "lambda_runtime", "tracing", "tracing_subscriber"],
    ),
    room(
        "emulator",
        &["domain", "app", "adapters"],
        &[
            "aws_config",
            "aws_sdk_dynamodb",
            "aws_sdk_ecr",
            "aws_sdk_inspector2",
            "aws_sdk_s3",
            "aws_sdk_secretsmanager",
            "aws_sdk_sns",
            "aws_smithy_runtime_api",
            "aws_smithy_types",
            "axum",
            "dynoxide",
            "form_urlencoded",
            "serde_saphyr",
            "tokio",
        ],
    ),
    room(
        "cli",
        &["domain", "ledger", "render", "app", "adapters", "lambda", "emulator"],
        &["clap", "comfy_table", "csv", "futures_util", "indicatif", "quamina", "tokio"],
    ),
];

#[test]
fn each_room_knows_only_what_it_may() {
    let dependencies = dependencies();
    let mut wrong = Vec::new();
    for (file, path) in sources() {
        let Some(own) = path.first() else { continue };
        let Some(room) = HOUSE.iter().find(|room| room.name == own) else {
            wrong.push(format!("{}: {own} is no room of the house", file.display()));
            continue;
        };
        let tokens = fs::read_to_string(&file).unwrap().parse().unwrap();
        let mut seen = Seen::default();
        seen.look(tokens, &path);
        for other in seen.rooms.iter().filter(|other| *other != own) {
            if !room.rooms.contains(&other.as_str()) {
                wrong.push(format!("{}: {own} may not know {other}", file.display()));
            }
        }
        for used in seen.crates.intersection(&dependencies) {
            if !room.crates.contains(&used.as_str()) && !EVERYWHERE.contains(&used.as_str()) {
                wrong.push(format!("{}: {own} may not use {used}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The sources of the library, each with the path of its module.
fn sources() -> Vec<(PathBuf, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                folders.push(file);
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                let within = file.strip_prefix(&root).unwrap().with_extension("");
                let mut path: Vec<String> =
                    within.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
                path.pop_if(|last| last == "mod" || last == "lib");
                if path.first().is_none_or(|first| first != "bin") {
                    sources.push((file, path));
                }
            }
        }
    }
    sources.sort();
    sources
}

/// The crates of `[dependencies]`, as code names them.
fn dependencies() -> BTreeSet<String> {
    let manifest = include_str!("../Cargo.toml");
    let (_, rest) = manifest.split_once("\n[dependencies]\n").unwrap();
    let (section, _) = rest.split_once("\n[dev-dependencies]\n").unwrap();
    let names = section.lines().filter_map(|line| Some(line.split_once(" = ")?.0));
    names.map(|name| name.replace('-', "_").replace("dynoxide_rs", "dynoxide")).collect()
}

/// What a file names.
#[derive(Default)]
struct Seen {
    rooms: BTreeSet<String>,
    crates: BTreeSet<String>,
}

impl Seen {
    /// Looks at the tokens of the module `path`.
    fn look(&mut self, tokens: TokenStream, path: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => {
                    let is_module = at >= 2
                        && group.delimiter() == Delimiter::Brace
                        && is(&tokens[at - 2], "mod");
                    let inside = is_module.then(|| tokens[at - 1].to_string());
                    self.look(group.stream(), &[path, inside.as_slice()].concat());
                }
                TokenTree::Ident(name)
                    if is_step(&tokens[at + 1..]) && !is_after_step(&tokens[..at]) =>
                {
                    self.step(&name.to_string(), &tokens[at + 3..], path);
                }
                _ => {}
            }
        }
    }

    /// Follows a path that begins with `name`, in the module `path`.
    fn step(&mut self, name: &str, rest: &[TokenTree], path: &[String]) {
        let base = match name {
            "crate" => &[],
            "super" => &path[..path.len() - 1],
            name => {
                self.crates.insert(name.to_owned());
                return;
            }
        };
        if let Some(room) = base.first() {
            self.rooms.insert(room.clone());
            return;
        }
        // At the top: what comes next is a room, or several.
        match rest.first() {
            Some(TokenTree::Group(group)) => {
                let mut begins = true;
                for token in group.stream() {
                    if begins {
                        self.rooms.insert(token.to_string());
                    }
                    begins = is(&token, ",");
                }
            }
            Some(token) => {
                self.rooms.insert(token.to_string());
            }
            None => {}
        }
    }
}

fn is(token: &TokenTree, text: &str) -> bool {
    token.to_string() == text
}

/// Whether `::` comes next.
fn is_step(rest: &[TokenTree]) -> bool {
    matches!(rest, [first, second, ..] if is(first, ":") && is(second, ":"))
}

/// Whether `::` came last, as within a longer path.
fn is_after_step(before: &[TokenTree]) -> bool {
    matches!(before, [.., first, second] if is(first, ":") && is(second, ":"))
}
