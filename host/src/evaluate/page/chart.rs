//! The one set-up that all plots share.

use plotters::{
    chart::ChartContext,
    coord::ranged1d::{AsRangedCoord, ValueFormatter},
    prelude::*,
};

/// What a drawing step returns.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

const INK: RGBColor = RGBColor(70, 76, 84);
const GRID: RGBColor = RGBColor(228, 231, 235);
/// Of all text.
pub(super) const FONT: &str = "sans-serif";

/// Room for the numbers and the title of an axis: below, and to the left.
const ROOM: (u32, u32) = (42, 68);

/// An axis: what it spans, what it shows, and how its numbers are written.
pub(super) struct Axis<'a, R> {
    /// Values at its ends; `.log_scale()` makes it logarithmic.
    pub(super) range: R,
    /// What it shows, with the unit.
    pub(super) title: &'a str,
    /// Numbers on it, at most.
    pub(super) ticks: usize,
    /// Writes a number.
    pub(super) label: &'a dyn Fn(&f64) -> String,
}

/// What [`chart`] hands to `draw`.
type Context<'a, 'b, X, Y> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<<X as AsRangedCoord>::CoordDescType, <Y as AsRangedCoord>::CoordDescType>,
>;

/// Sets up a chart with two axes, lets `draw` put the data in, and gives the SVG.
pub(super) fn chart<X, Y>(
    size: (u32, u32),
    x: Axis<'_, X>,
    y: Axis<'_, Y>,
    draw: impl FnOnce(&mut Context<'_, '_, X, Y>) -> Drawn,
) -> String
where
    X: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
    Y: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
{
    let mut text = String::new();
    // Writing to a string does not fail; a plot that cannot be laid out is left
    // as far as it came.
    if let Err(error) = put(&mut text, size, x, y, draw) {
        tracing::warn!("a plot of the report is not complete: {error}");
    }
    // As large as the page has room for.
    text.replacen("<svg ", "<svg class=\"plot\" ", 1)
}

fn put<X, Y>(
    text: &mut String,
    size: (u32, u32),
    x: Axis<'_, X>,
    y: Axis<'_, Y>,
    draw: impl FnOnce(&mut Context<'_, '_, X, Y>) -> Drawn,
) -> Drawn
where
    X: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
    Y: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
{
    let area = SVGBackend::with_string(text, size).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(10)
        // The last number of the axis is centred on its end.
        .margin_right(26)
        .x_label_area_size(ROOM.0)
        .y_label_area_size(ROOM.1)
        .build_cartesian_2d(x.range, y.range)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style((FONT, 13, &INK))
        .x_labels(x.ticks)
        .y_labels(y.ticks)
        .x_label_formatter(x.label)
        .y_label_formatter(y.label)
        .x_desc(x.title)
        .y_desc(y.title)
        .draw()?;
    draw(&mut chart)?;
    area.present()
}

/// Numbers on a logarithmic axis, at most: so few that they stay powers of ten.
const DECADES: usize = 9;

/// A logarithmic axis from one power of ten around the values to another;
/// values below `least` count as it. Also gives its ends.
pub(super) fn decades(
    title: &str,
    values: impl Iterator<Item = f64>,
    least: f64,
) -> (Axis<'_, impl AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>>, (f64, f64)) {
    let (low, high) = powers_around(values, least);
    // Rounding must not leave the numbers at the ends out.
    let range = (low * (1.0 - 1e-9)..high * (1.0 + 1e-9)).log_scale();
    (Axis { range, title, ticks: DECADES, label: &power }, (low, high))
}

fn powers_around(values: impl Iterator<Item = f64>, least: f64) -> (f64, f64) {
    let (low, high) =
        values.map(|v| v.max(least)).fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
    if low > high {
        return (1e-3, 1.0);
    }
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    (10f64.powf(low), 10f64.powf(high.max(low + 1.0)))
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that plotters asks for")]
fn power(v: &f64) -> String {
    if *v > 0.9e-3 { format!("{v}") } else { format!("{v:.0e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_has_its_ends_and_every_power_between() {
        for (values, ends, numbers) in [
            (vec![0.02, 3.0], (0.01, 10.0), ["0.01", "0.1", "1", "10"].as_slice()),
            (vec![0.1, 0.5], (0.1, 1.0), &["0.1", "1"]),
            (vec![0.0, 0.002], (1e-5, 0.01), &["1e-5", "1e-4", "0.001", "0.01"]),
            (vec![], (1e-3, 1.0), &["0.001", "0.01", "0.1", "1"]),
        ] {
            let (axis, range) = decades("error, px", values.into_iter(), 1e-5);
            assert!((range.0 / ends.0 - 1.0).abs() < 1e-9 && (range.1 / ends.1 - 1.0).abs() < 1e-9);
            let linear =
                Axis { range: 0.0..1.0, title: "share", ticks: 3, label: &|v| format!("{v}") };
            let svg = chart((500, 300), axis, linear, |_| Ok(()));
            for number in numbers {
                assert!(svg.contains(&format!("\n{number}\n")), "{number}: {svg}");
            }
            assert!(svg.contains("error, px") && svg.contains("share"));
        }
    }
}
