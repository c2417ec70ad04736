//! Pictures in files, as detectors get them.

use std::{
    io::{BufRead, Cursor, Seek},
    path::Path,
};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, metadata::Orientation,
};
use plumbline_plugin_api::PixelFormat;

/// Why a file is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It cannot be read.
    // The decoders' errors quote their causes in their own text, so that none is a source.
    #[error("cannot open it: {0}")]
    Open(std::io::Error),
    /// What is in it is no picture, or a broken one.
    #[error("cannot decode it: {0}")]
    Decode(ImageError),
    /// The decoder would make up what is missing.
    #[error("cannot decode it: the JPEG file ends within its picture; it was cut off")]
    CutOff,
}

/// Reads a picture, and turns it as its camera noted (EXIF).
///
/// # Errors
///
/// When there is no such file, or no whole picture in it.
pub fn read(file: &Path) -> Result<DynamicImage, PictureError> {
    let bytes = std::fs::read(file).map_err(PictureError::Open)?;
    let reader = guessed(Cursor::new(&bytes))?;
    if reader.format() == Some(ImageFormat::Jpeg) && !is_whole_jpeg(&bytes) {
        return Err(PictureError::CutOff);
    }
    let (mut image, orientation) = decoder(reader)
        .and_then(|(decoder, turn)| Ok((DynamicImage::from_decoder(decoder)?, turn)))
        .map_err(PictureError::Decode)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Columns and rows of a picture as [`read`] gives it; reads no more than its header.
///
/// # Errors
///
/// As [`read`], as far as the header tells.
pub fn size(file: &Path) -> Result<[u32; 2], PictureError> {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    let file = std::fs::File::open(file).map_err(PictureError::Open)?;
    let reader = guessed(std::io::BufReader::new(file))?;
    let (decoder, orientation) = decoder(reader).map_err(PictureError::Decode)?;
    let (width, height) = decoder.dimensions();
    Ok(match orientation {
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => [height, width],
        _ => [width, height],
    })
}

/// By its content and not by its name.
fn guessed<R: BufRead + Seek>(reader: R) -> Result<ImageReader<R>, PictureError> {
    ImageReader::new(reader).with_guessed_format().map_err(PictureError::Open)
}

/// The decoder of a picture of acceptable size, and how the camera was held.
fn decoder<'a, R: BufRead + Seek + 'a>(
    reader: ImageReader<R>,
) -> Result<(impl ImageDecoder + 'a, Orientation), ImageError> {
    let mut decoder = reader.into_decoder()?;
    Limits::default().reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    Ok((decoder, orientation))
}

/// The pixels as detectors get them: one grey byte, or blue, green, red.
pub fn pixels(image: &DynamicImage) -> (Vec<u8>, PixelFormat) {
    if !image.color().has_color() {
        return (image.to_luma8().into_raw(), PixelFormat::GRAY8);
    }
    let mut data = image.to_rgb8().into_raw();
    for pixel in data.chunks_exact_mut(3) {
        pixel.swap(0, 2);
    }
    (data, PixelFormat::BGR8)
}

/// Whether the picture has an end (ITU-T T.81, B.1.1.3: the marker EOI; within the coded
/// data a zero follows every FF, so it cannot be there by chance). The decoder makes up
/// what is missing.
fn is_whole_jpeg(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    let mut at = 2;
    // Segments with their length, up to the coded data: they may hold other pictures.
    while let Some(&[0xFF, marker, high, low]) = bytes.get(at..at + 4) {
        if marker == 0xFF {
            at += 1;
            continue;
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == START_OF_SCAN {
            break;
        }
    }
    bytes.get(at..).is_some_and(|data| data.windows(2).any(|pair| pair == [0xFF, 0xD9]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma, Rgba, RgbaImage};

    #[test]
    fn grey_stays_grey_and_sixteen_bits_become_eight() {
        let grey = image::ImageBuffer::<Luma<u16>, _>::from_fn(2, 1, |x, _| {
            Luma([if x == 0 { 0 } else { 65535 }])
        });
        let (data, format) = pixels(&DynamicImage::ImageLuma16(grey));
        assert_eq!((data, format), (vec![0, 255], PixelFormat::GRAY8));
    }

    #[test]
    fn a_photograph_is_turned_as_its_camera_noted() {
        use image::{ImageEncoder as _, codecs::png::PngEncoder};
        // TIFF header, one entry: orientation (0x0112), a short, 6 = a quarter turn.
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let mut file = Vec::new();
        let mut encoder = PngEncoder::new(&mut file);
        encoder.set_exif_metadata(exif.to_vec()).unwrap();
        encoder.write_image(&[1, 2], 2, 1, image::ExtendedColorType::L8).unwrap();
        // Its name says nothing.
        let path = tempfile::NamedTempFile::with_suffix(".jpg").unwrap();
        std::fs::write(path.path(), file).unwrap();
        let image = read(path.path()).unwrap();
        assert_eq!((image.width(), image.height()), (1, 2));
        assert_eq!(size(path.path()).unwrap(), [1, 2]);
        assert_eq!(image.to_luma8().into_raw(), [1, 2]);
    }

    #[test]
    fn a_jpeg_that_was_cut_off_is_no_picture() {
        let mut file = Vec::new();
        let noise = GrayImage::from_fn(64, 64, |x, y| Luma([((x * 31) ^ (y * 17)) as u8]));
        noise.write_to(&mut Cursor::new(&mut file), ImageFormat::Jpeg).unwrap();
        assert!(is_whole_jpeg(&file));
        // A thumbnail among the segments has an end of its own.
        let mut with_thumbnail = file[..2].to_vec();
        with_thumbnail.extend([0xFF, 0xE1, 0, 6, 0xFF, 0xDA, 0xFF, 0xD9]);
        with_thumbnail.extend(&file[2..]);
        for whole in [file, with_thumbnail] {
            assert!(is_whole_jpeg(&[&whole[..], b"more"].concat()));
            for length in [0, 1, 2, 30, whole.len() / 2, whole.len() - 1] {
                assert!(!is_whole_jpeg(&whole[..length]), "{length}");
            }
        }
    }

    #[test]
    fn colour_becomes_blue_green_red_and_transparency_is_dropped() {
        let image = RgbaImage::from_pixel(1, 1, Rgba([1, 2, 3, 0]));
        let (data, format) = pixels(&DynamicImage::ImageRgba8(image));
        assert_eq!((data, format), (vec![3, 2, 1], PixelFormat::BGR8));
    }

    #[test]
    fn a_cause_is_said_once() {
        let said = read(Path::new("/nowhere/x.png")).unwrap_err().to_string();
        assert!(said.starts_with("cannot open it: No such file"), "{said}");
        let broken = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(broken.path(), b"\x89PNG\r\n\x1a\n none").unwrap();
        for said in [read(broken.path()).err(), size(broken.path()).err()] {
            let said = said.expect("no picture").to_string();
            assert!(said.starts_with("cannot decode it: "), "{said}");
            assert_eq!(said.matches("end of file").count(), 1, "{said}");
        }
    }
}
