//! How much a workbook unpacks to, found out before anything is made of it: a small file may unpack to more than a
//! machine holds.

use std::io::{BufRead, BufReader, Cursor};

use quick_xml::{Reader, events::Event};
use zip::ZipArchive;

use super::fault::{Reason, reason};

/// The most bytes that the parts of a workbook unpack to.
#[derive(Clone, Copy)]
pub(super) struct Unpacked {
    /// A sheet, and all parts together. It is read cell by cell.
    pub sheet: u64,
    /// The texts of all cells, which are kept while the sheet is read.
    pub texts: u64,
    /// Styles and whatever else there is.
    pub other: u64,
    /// What is kept of the cells. Many cells may have one text.
    pub cells: usize,
}

const MIB: u64 = 1024 * 1024;

/// Several times what half a million rows of ours take.
pub(super) const UNPACKED: Unpacked =
    Unpacked { sheet: 1024 * MIB, texts: 128 * MIB, other: 16 * MIB, cells: 1024 * 1024 * 512 };

/// What cannot be read of a workbook.
pub(super) enum Refused {
    Unreadable,
    TooLarge(Reason),
}

impl<E: std::error::Error> From<E> for Refused {
    fn from(_: E) -> Self {
        Self::Unreadable
    }
}

impl Unpacked {
    /// By the last part of the name, which is how the sheets and the texts are found whatever folder they are in.
    fn of(self, name: &str) -> u64 {
        match name.rsplit(['/', '\\']).next().unwrap_or_default() {
            TEXTS => self.texts,
            name if name.starts_with("sheet") => self.sheet,
            _ => self.other,
        }
    }
}

const TEXTS: &str = "sharedstrings.xml";

/// The fewest bytes in which there can be a text: `<si></si>`.
const SHORTEST_TEXT: u64 = 9;

/// Refuses a workbook that unpacks to more than may be, by what it says of itself: nobody reads more of a part than it
/// says that there is, since the library refuses one that goes on.
pub(super) fn check(bytes: &[u8], most: Unpacked) -> Result<(), Refused> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut left = most.sheet;
    for place in 0..archive.len() {
        let part = archive.by_index(place)?;
        let name = part.name()?.to_ascii_lowercase();
        let most = most.of(&name).min(left);
        if part.size() > most {
            return Err(too_large(most));
        }
        left -= part.size();
        if name.ends_with(TEXTS) {
            // Room is made for as many as it says there are.
            let said = texts(BufReader::new(part))?;
            if said > most / SHORTEST_TEXT {
                return Err(too_large(most));
            }
        }
    }
    Ok(())
}

/// How many texts the part of the texts says that it holds.
fn texts(part: impl BufRead) -> Result<u64, Refused> {
    let mut xml = Reader::from_reader(part);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer)? {
            Event::Start(element) | Event::Empty(element) if element.local_name().as_ref() == "sst" => {
                let said = element.try_get_attribute("uniqueCount")?;
                let digits = said.and_then(|said| said.value.parse().ok());
                return Ok(digits.unwrap_or(0));
            }
            Event::Eof => return Ok(0),
            _ => {}
        }
    }
}

fn too_large(most: u64) -> Refused {
    let most = most.div_ceil(MIB);
    Refused::TooLarge(reason!(
        "A part of the workbook unpacks to more than {most} MiB; import it in parts, or save it as CSV.",
        "Una parte del libro ocupa más de {most} MiB al descomprimirse; impórtelo por partes o guárdelo como CSV."
    ))
}
