//! A folder that is written whole, or not at all.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    app::failure::BoxError,
    cli::{Misuse, rows::defuse},
    domain::digest::Running,
    render::evidence::{self, Table},
};

/// A folder, and what was written into it: into another one beside it, which takes its place once all is there. What is not
/// kept is removed again.
pub struct Folder {
    path: PathBuf,
    /// Where the files are until they are kept.
    beside: PathBuf,
    /// Folders that were not there before, the outermost first.
    made: Vec<PathBuf>,
    files: Vec<evidence::File>,
    is_kept: bool,
}

/// A file, and the digest of what was written into it.
struct Digesting {
    file: BufWriter<File>,
    digest: Running,
    bytes: u64,
}

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.add(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Folder {
    /// The folder at `path`, which is empty, or not there yet.
    ///
    /// # Errors
    /// There is something in it, it is no folder, or nothing can be written beside it.
    pub fn empty(path: &Path) -> Result<Self, BoxError> {
        let shown = path.display();
        let misuse = |what: String| BoxError::from(Misuse(what));
        let cannot = |error: io::Error| misuse(format!("cannot write into {shown}: {error}"));
        match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(misuse(format!(
                        "the folder {shown} is not empty: --out takes one that is, or is not there yet"
                    )));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {}
            Err(error) => return Err(cannot(error)),
        }
        let name = path.file_name().ok_or_else(|| {
            misuse(format!("{shown} names no folder: --out takes one such as evidence/2026-q3"))
        })?;
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}", std::process::id()));
        let mut folder = Self {
            path: path.to_owned(),
            beside: path.with_file_name(hidden),
            made: Vec::new(),
            files: Vec::new(),
            is_kept: false,
        };
        let beside = folder.beside.clone();
        folder.make(&beside).map_err(cannot)?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was written into it, in this order.
    pub fn files(&self) -> &[evidence::File] {
        &self.files
    }

    /// Keeps what was written.
    ///
    /// # Errors
    /// Something else is in its place by now.
    pub fn keep(mut self) -> Result<Self, BoxError> {
        let cannot = |error: io::Error| format!("cannot write {}: {error}", self.path.display());
        if self.path.exists() {
            fs::remove_dir(&self.path).map_err(cannot)?;
        }
        fs::rename(&self.beside, &self.path).map_err(cannot)?;
        self.is_kept = true;
        Ok(self)
    }

    /// Writes a table, in which no cell is a formula.
    pub fn csv(&mut self, table: Table<'_>) -> Result<(), BoxError> {
        self.write(table.name, |file| {
            let mut csv = csv::Writer::from_writer(file);
            csv.write_record(table.columns)?;
            for mut row in table.rows {
                row.iter_mut().for_each(defuse);
                csv.write_record(row)?;
            }
            Ok(csv.flush()?)
        })
    }

    /// Writes a value as JSON.
    pub fn json(&mut self, name: &str, value: &impl Serialize) -> Result<(), BoxError> {
        self.write(name, |file| {
            serde_json::to_writer_pretty(&mut *file, value)?;
            Ok(file.write_all(b"\n")?)
        })
    }

    /// Writes a text.
    pub fn text(&mut self, name: &str, text: &str) -> Result<(), BoxError> {
        self.write(name, |file| Ok(file.write_all(text.as_bytes())?))
    }

    fn write(
        &mut self,
        name: &str,
        with: impl FnOnce(&mut Digesting) -> Result<(), BoxError>,
    ) -> Result<(), BoxError> {
        let path = self.beside.join(name);
        let cannot = |error: BoxError| format!("cannot write {}: {error}", path.display());
        let parent = path.parent().map(Path::to_owned).unwrap_or_default();
        self.make(&parent).map_err(|error| cannot(error.into()))?;
        let file = File::create_new(&path).map_err(|error| cannot(error.into()))?;
        let place = self.files.len();
        self.files.push(evidence::File { name: name.to_owned(), bytes: 0, sha256: String::new() });
        let mut file =
            Digesting { file: BufWriter::new(file), digest: Running::default(), bytes: 0 };
        with(&mut file).and_then(|()| Ok(file.flush()?)).map_err(cannot)?;
        self.files[place].bytes = file.bytes;
        self.files[place].sha256 = file.digest.finish();
        Ok(())
    }

    /// Makes a folder, and those around it that are not there.
    fn make(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
            .collect();
        for path in missing.into_iter().rev() {
            fs::create_dir(path)?;
            self.made.push(path.to_owned());
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        // The error that led here is the one to be told.
        for file in &self.files {
            let _ = fs::remove_file(self.beside.join(&file.name));
        }
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn what_is_not_kept_leaves_nothing() {
        let path = scratch("evidence-dropped");
        let mut folder = Folder::empty(&path).unwrap();
        folder.text("a.txt", "a").unwrap();
        folder.json("b/c.json", &1).unwrap();
        drop(folder);
        assert!(!path.exists());
        let left = fs::read_dir(path.parent().unwrap()).unwrap().flatten();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut names = left.map(|entry| entry.file_name().into_string().unwrap());
        assert_eq!(names.find(|left| left.contains(&name)), None);
    }

    #[test]
    fn a_digest_is_that_of_the_file() {
        let path = scratch("evidence-kept");
        let mut folder = Folder::empty(&path).unwrap();
        folder.json("one.json", &"=1").unwrap();
        let folder = folder.keep().unwrap();
        let bytes = fs::read(path.join("one.json")).unwrap();
        let [file] = folder.files() else { panic!("one file") };
        let digest = crate::domain::digest::of_content(&bytes);
        assert_eq!((file.bytes, format!("sha256:{}", file.sha256)), (bytes.len() as u64, digest));
        assert!(Folder::empty(&path).is_err(), "it is not empty any more");
        fs::remove_dir_all(&path).unwrap();
    }
}
