//! Pictures in files, as detectors get them.

use std::{
    io::{BufRead, Cursor, Seek},
    path::Path,
};

use anyhow::Context;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits};
use plumbline_plugin_api::PixelFormat;

/// Reads a picture, and turns it as its camera noted (EXIF).
///
/// # Errors
///
/// When there is no such file, or no whole picture in it.
pub fn read(file: &Path) -> anyhow::Result<DynamicImage> {
    let bytes = std::fs::read(file).context("cannot open it")?;
    let reader =
        ImageReader::new(Cursor::new(&bytes)).with_guessed_format().context("cannot read it")?;
    anyhow::ensure!(
        reader.format() != Some(ImageFormat::Jpeg) || is_whole_jpeg(&bytes),
        "cannot decode it: the JPEG file ends within its picture; it was cut off"
    );
    upright(reader).context("cannot decode it")
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

/// The error and its causes in one line. The decoders' errors quote their cause
/// in their own text; what has been said is not said again.
pub fn reason(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        let cause = cause.trim_end();
        if text.is_empty() {
            cause.clone_into(&mut text);
        } else if !text.contains(cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
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

/// The picture as a viewer shows it: turned as the camera noted (EXIF).
fn upright<R: BufRead + Seek>(reader: ImageReader<R>) -> ImageResult<DynamicImage> {
    let mut decoder = reader.into_decoder()?;
    Limits::default().reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
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
        let reader = ImageReader::new(std::io::Cursor::new(file)).with_guessed_format().unwrap();
        let image = upright(reader).unwrap();
        assert_eq!((image.width(), image.height()), (1, 2));
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
    fn a_cause_that_was_quoted_is_not_repeated() {
        let open = || ImageReader::open("/nowhere/x.png").context("cannot open it");
        let reasons = reason(&open().err().expect("there is no such file"));
        assert!(reasons.starts_with("cannot open it: No such file"), "{reasons}");
        let broken = image::load_from_memory_with_format(b"none", image::ImageFormat::Png);
        let reasons = reason(&broken.context("cannot decode it").expect_err("no picture"));
        assert!(reasons.starts_with("cannot decode it: "), "{reasons}");
        assert_eq!(reasons.matches("Invalid PNG signature").count(), 1, "{reasons}");
    }
}
