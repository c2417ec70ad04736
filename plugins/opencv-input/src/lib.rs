//! Frames as OpenCV matrices: what the OpenCV detectors have in common.
//!
//! OpenCV's convention is ours: integer coordinates are pixel centres, x to the
//! right, y down.

#![allow(unsafe_code, reason = "a matrix over the pixels of a frame, without a copy")]

use opencv::{
    core::{CV_8UC1, CV_8UC3, Mat, set_num_threads},
    imgproc::{COLOR_BGR2GRAY, cvt_color_def, median_blur},
};
use plumbline_plugin_api::{Frame, PixelFormat, PluginError};

/// Longest side of the median's window.
pub const MAX_BLUR: u32 = 31;

/// Makes grey, optionally blurred matrices of frames. Its buffers are kept from
/// frame to frame; a grey frame that is not to be blurred is not copied at all.
pub struct Input {
    blur: i32,
    grey: Mat,
    blurred: Mat,
}

impl Input {
    /// Frames blurred by the median of `blur` x `blur` pixels; 0 is not at all.
    ///
    /// # Errors
    ///
    /// When `blur` is neither 0 nor odd and from 3 to [`MAX_BLUR`].
    pub fn new(blur: u32) -> Result<Self, PluginError> {
        if blur != 0 && (blur.is_multiple_of(2) || !(3..=MAX_BLUR).contains(&blur)) {
            return Err(PluginError::config(format!(
                "blur = {blur}: 0 (none) and odd numbers from 3 to {MAX_BLUR} are possible"
            )));
        }
        Ok(Self { blur: blur as i32, grey: Mat::default(), blurred: Mat::default() })
    }

    /// Calls `look` with `frame` as a matrix of type `CV_8UC1`. Its rows need
    /// not follow each other without a gap. The frame is not changed.
    ///
    /// # Errors
    ///
    /// For an empty frame, a pixel format other than `gray8` and `bgr8`, and
    /// whatever OpenCV or `look` cannot do.
    pub fn with_grey<T>(
        &mut self,
        frame: &Frame<'_>,
        look: impl FnOnce(&Mat) -> Result<T, PluginError>,
    ) -> Result<T, PluginError> {
        let view = view(frame)?;
        let grey = if frame.format() == PixelFormat::GRAY8 {
            &view
        } else {
            cvt_color_def(&view, &mut self.grey, COLOR_BGR2GRAY)?;
            &self.grey
        };
        if self.blur == 0 {
            return look(grey);
        }
        median_blur(grey, &mut self.blurred, self.blur)?;
        look(&self.blurred)
    }
}

/// The pixels of `frame` as a matrix. It must not outlive them, nor be written to.
fn view(frame: &Frame<'_>) -> Result<Mat, PluginError> {
    let kind = match frame.format() {
        PixelFormat::GRAY8 => CV_8UC1,
        PixelFormat::BGR8 => CV_8UC3,
        other => {
            return Err(PluginError::failed(format!(
                "{other} frames: gray8 and bgr8 are possible"
            )));
        }
    };
    let (Ok(rows @ 1..), Ok(columns @ 1..)) =
        (i32::try_from(frame.height()), i32::try_from(frame.width()))
    else {
        let (width, height) = (frame.width(), frame.height());
        return Err(PluginError::failed(format!("a frame of {width} x {height} pixels")));
    };
    let data = frame.data().as_ptr().cast_mut().cast();
    // SAFETY: a `Frame` has `rows` rows of `columns` pixels, `stride` bytes
    // apart. The matrix stays within this module, which drops it before the
    // frame's borrow ends and hands it out by shared reference only; OpenCV
    // does not write to the matrices that it takes as input.
    Ok(unsafe { Mat::new_rows_cols_with_data_unsafe(rows, columns, kind, data, frame.stride())? })
}

/// Sets how many threads OpenCV may use. It is one setting for the process: the
/// instance that was made last decides.
///
/// # Errors
///
/// What OpenCV says.
pub fn use_threads(threads: u32) -> Result<(), PluginError> {
    Ok(set_num_threads(threads as i32)?)
}

#[cfg(test)]
mod tests {
    use opencv::core::MatTraitConst;

    use super::*;

    fn grey_rows(blur: u32, frame: &Frame<'_>) -> Vec<Vec<u8>> {
        Input::new(blur)
            .unwrap()
            .with_grey(frame, |mat| {
                (0..mat.rows())
                    .map(|y| (0..mat.cols()).map(|x| Ok(*mat.at_2d::<u8>(y, x)?)).collect())
                    .collect()
            })
            .unwrap()
    }

    #[test]
    fn rows_are_read_without_their_padding() {
        let frame = Frame::new(&[1, 2, 99, 3, 4], 2, 2, 3, PixelFormat::GRAY8).unwrap();
        assert_eq!(grey_rows(0, &frame), [[1, 2], [3, 4]]);
    }

    #[test]
    fn colours_are_blue_green_red() {
        let data = [255, 0, 0, 0, 255, 0, 0, 0, 255, 99];
        let frame = Frame::new(&data[..9], 3, 1, 9, PixelFormat::BGR8).unwrap();
        // ITU-R BT.601: 0.114 B + 0.587 G + 0.299 R.
        assert_eq!(grey_rows(0, &frame), [[29, 150, 76]]);
    }

    #[test]
    fn the_median_takes_single_pixels_out_and_leaves_the_frame_alone() {
        let mut data = vec![10; 49];
        data[24] = 255;
        let before = data.clone();
        let frame = Frame::packed(&data, 7, 7, PixelFormat::GRAY8).unwrap();
        assert_eq!(grey_rows(3, &frame), vec![vec![10; 7]; 7]);
        assert_eq!(data, before);
    }

    #[test]
    fn even_and_huge_windows_are_refused_with_what_is_possible() {
        for blur in [1, 2, 4, 33] {
            let Err(error) = Input::new(blur) else { panic!("{blur} is taken") };
            assert!(error.message().contains("odd numbers from 3 to 31"), "{error}");
        }
    }

    #[test]
    fn an_empty_frame_is_an_error_with_its_size() {
        let frame = Frame::packed(&[], 0, 4, PixelFormat::GRAY8).unwrap();
        let error = Input::new(0).unwrap().with_grey(&frame, |_| Ok(())).unwrap_err();
        assert_eq!(error.message(), "a frame of 0 x 4 pixels");
    }
}
