//! The report as one self-contained page.

use super::{
    Plan, Summary,
    film::{FilmError, Filmed},
};

/// The page.
///
/// # Errors
///
/// [`FilmError`] when a frame cannot be filmed again for its picture.
pub fn page(_plan: &Plan, _filmed: &[Filmed], _summary: &Summary) -> Result<String, FilmError> {
    Ok(String::new())
}
