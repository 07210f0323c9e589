//! Where the judgement goes, in which formats: `--format sarif --out gate.sarif --format table`.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum, builder::EnumValueParser,
    error::ErrorKind, value_parser,
};

use crate::{
    app::failure::BoxError,
    cli::Misuse,
    render::gate::{Outcome, SarifOptions},
};

/// The format of a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Table,
    /// For programs
    Json,
    /// For GitHub's code scanning, and others
    Sarif,
    /// For what shows tests, such as GitLab and Jenkins: one a finding, and one for the scan
    Junit,
    /// For the summary of a job, or a comment
    Markdown,
}

/// The formats of a judgement, each with its file; stdout where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs(Vec<(Form, Option<PathBuf>)>);

impl Args for Outputs {
    fn augment_args(command: Command) -> Command {
        let format = Arg::new("format")
            .long("format")
            .value_name("FORMAT")
            .value_parser(EnumValueParser::<Form>::new())
            .action(ArgAction::Append)
            .help("As what to show the judgement; several, each with its file [default: table]");
        let out = Arg::new("out")
            .long("out")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .action(ArgAction::Append)
            .help("Where to write what the --format before it says; - for stdout [default: -]");
        command.arg(format).arg(out)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Outputs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let refused =
            |why: String| clap::Error::raw(ErrorKind::ArgumentConflict, format!("{why}\n"));
        Self::paired(&placed::<Form>(matches, "format"), &placed::<PathBuf>(matches, "out"))
            .map_err(refused)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The values of an argument, each with its place in the line.
fn placed<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Vec<(usize, T)> {
    let places = matches.indices_of(id).into_iter().flatten();
    places.zip(matches.get_many::<T>(id).into_iter().flatten().cloned()).collect()
}

impl Outputs {
    /// Each format with the file that was named after it.
    fn paired(formats: &[(usize, Form)], files: &[(usize, PathBuf)]) -> Result<Self, String> {
        let mut outputs: Vec<(Form, Option<PathBuf>)> =
            formats.iter().map(|(_, form)| (*form, None)).collect();
        if outputs.is_empty() {
            outputs.push((Form::Table, None));
        }
        for (place, file) in files {
            let before = formats.iter().filter(|(format, _)| format < place).count();
            // One format and one file belong together, whichever comes first.
            let index = if outputs.len() == 1 { Some(0) } else { before.checked_sub(1) };
            let name = file.display();
            let output = index.and_then(|index| outputs.get_mut(index));
            let Some((_, target)) = output else {
                return Err(format!("--out {name} has no --format before it: say which it is of"));
            };
            if let Some(other) = target {
                return Err(format!(
                    "--out {} and --out {name} are of one --format",
                    other.display()
                ));
            }
            *target = Some(file.clone());
        }
        for (_, target) in &mut outputs {
            target.take_if(|file| file == Path::new("-"));
        }
        for (index, (_, target)) in outputs.iter().enumerate() {
            if outputs[..index].iter().any(|(_, other)| other == target) {
                let place =
                    target.as_ref().map_or("stdout".to_owned(), |file| file.display().to_string());
                return Err(format!("two formats go to {place}: name a file for each with --out"));
            }
        }
        Ok(Self(outputs))
    }

    /// Takes away what an earlier run has written: it is not true of this one, however this one ends.
    ///
    /// # Errors
    /// Two formats go to one file, or one to a file of `inputs`.
    pub fn clear(&self, inputs: &[&Path]) -> Result<(), BoxError> {
        let mut taken: Vec<PathBuf> = inputs.iter().filter_map(|file| real(file)).collect();
        for file in self.files() {
            let Some(real) = real(file) else { continue };
            let name = file.display();
            if taken.contains(&real) {
                return Err(Misuse(format!(
                    "--out {name} is read or written already: name another file"
                ))
                .into());
            }
            taken.push(real);
        }
        self.remove()
    }

    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.0.iter().filter_map(|(_, file)| file.as_ref())
    }

    fn remove(&self) -> Result<(), BoxError> {
        for file in self.files() {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(format!("cannot remove {}: {error}", file.display()).into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes the judgement in all formats, or in none: of what cannot be written whole nothing is left.
    ///
    /// # Errors
    /// A format cannot be made, or a file not be written.
    pub fn write(
        &self,
        outcome: &Outcome<'_>,
        with_excepted: bool,
        output: &mut impl Write,
    ) -> Result<(), BoxError> {
        let mut made = Vec::new();
        for (form, file) in &self.0 {
            let said = match form {
                Form::Table => Some(outcome.table()),
                Form::Markdown => Some(outcome.markdown()),
                Form::Json => Some(outcome.json()?),
                Form::Junit => Some(outcome.junit()?),
                Form::Sarif => outcome.sarif(SarifOptions { with_excepted })?,
            };
            made.extend(said.map(|said| (file, said)));
        }
        for (file, said) in &made {
            if let Some(file) = file
                && let Err(error) = fs::write(file, said)
            {
                let cannot = format!("cannot write {}: {error}", file.display());
                self.remove()?;
                return Err(cannot.into());
            }
        }
        let to_stdout = made.iter().filter(|(file, _)| file.is_none());
        for (_, said) in to_stdout {
            if let Err(error) = written(said, output) {
                self.remove()?;
                return Err(error.into());
            }
        }
        Ok(())
    }
}

/// The file itself, whatever leads to it; none if there is no folder for it.
fn real(file: &Path) -> Option<PathBuf> {
    if let Ok(real) = file.canonicalize() {
        return Some(real);
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
    Some(folder.join(file.file_name()?))
}

/// Writes to stdout. Who has seen enough of it does not change the verdict.
fn written(said: &str, output: &mut impl Write) -> io::Result<()> {
    match output.write_all(said.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paired(formats: &[(usize, Form)], files: &[(usize, &str)]) -> Result<Outputs, String> {
        let files: Vec<_> =
            files.iter().map(|(place, file)| (*place, PathBuf::from(file))).collect();
        Outputs::paired(formats, &files)
    }

    fn outputs(pairs: &[(Form, Option<&str>)]) -> Outputs {
        Outputs(pairs.iter().map(|(form, file)| (*form, file.map(PathBuf::from))).collect())
    }

    #[test]
    fn each_format_has_the_file_that_is_named_after_it() {
        let sarif_and_table = [(1, Form::Sarif), (5, Form::Table)];
        for (formats, files, expected) in [
            (&[][..], &[][..], &[(Form::Table, None)][..]),
            (&[], &[(1, "x")], &[(Form::Table, Some("x"))]),
            (&[(1, Form::Sarif)], &[(3, "x")], &[(Form::Sarif, Some("x"))]),
            (&[(3, Form::Sarif)], &[(1, "x")], &[(Form::Sarif, Some("x"))]),
            (&sarif_and_table, &[(3, "x")], &[(Form::Sarif, Some("x")), (Form::Table, None)]),
            (&sarif_and_table, &[(7, "x")], &[(Form::Sarif, None), (Form::Table, Some("x"))]),
            (
                &sarif_and_table,
                &[(3, "-"), (7, "x")],
                &[(Form::Sarif, None), (Form::Table, Some("x"))],
            ),
        ] {
            assert_eq!(paired(formats, files), Ok(outputs(expected)), "{formats:?} {files:?}");
        }
    }

    #[test]
    fn files_and_formats_that_do_not_go_together_are_refused() {
        let both = [(3, Form::Sarif), (5, Form::Table)];
        for (formats, files) in [
            (&both[..], &[][..]),
            (&both[..], &[(4, "-")]),
            (&both[..], &[(1, "x")]),
            (&both[..], &[(4, "x"), (6, "x")]),
            (&both[..1], &[(4, "x"), (5, "y")]),
        ] {
            assert!(paired(formats, files).is_err(), "{formats:?} {files:?}");
        }
    }
}
