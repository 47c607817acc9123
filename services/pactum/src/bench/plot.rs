//! The scaling as a picture: a group of bars for each number of partitions, a bar for each number of processes.

use std::fmt::Write as _;

use super::scaling::Point;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 340.0;
/// Around the bars: the scale on the left, the numbers below.
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 60.0;
const TOP: f64 = 40.0;

/// Told apart in print and by the colour-blind, too: from light to dark.
const SHADES: [&str; 4] = ["#a6cee3", "#4a90c2", "#1f4e79", "#0b1f33"];

/// Draws the points as SVG.
pub(super) fn scaling(points: &[Point], title: &str) -> String {
    let mut partitions: Vec<u32> = points.iter().map(|point| point.partitions).collect();
    partitions.dedup();
    let mut processes: Vec<usize> = points.iter().map(|point| point.processes).collect();
    processes.sort_unstable();
    processes.dedup();
    let top = scale_top(points.iter().map(|point| point.figures.per_second).fold(1.0, f64::max));
    let (plot_width, plot_height) = (WIDTH - LEFT - 20.0, HEIGHT - TOP - BOTTOM);
    let height = |value: f64| plot_height * value / top;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{title}</text>\n"
    );
    for quarter in 0..=4 {
        let value = top * f64::from(quarter) / 4.0;
        let y = TOP + plot_height - height(value);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{value:.0}</text>",
            LEFT + plot_width,
            LEFT - 8.0,
            y + 4.0
        );
    }
    let group = plot_width / partitions.len() as f64;
    let bar = group * 0.8 / processes.len() as f64;
    for (place, count) in partitions.iter().enumerate() {
        let left = LEFT + group * (place as f64 + 0.1);
        for point in points.iter().filter(|point| point.partitions == *count) {
            let index = processes.iter().position(|known| *known == point.processes).unwrap_or(0);
            let (x, tall) = (left + bar * index as f64, height(point.figures.per_second));
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" fill=\"{}\"/>",
                TOP + plot_height - tall,
                bar * 0.92,
                SHADES[index % SHADES.len()]
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{count} partition{}</text>",
            left + group * 0.4,
            HEIGHT - BOTTOM + 18.0,
            if *count == 1 { "" } else { "s" }
        );
    }
    for (index, count) in processes.iter().enumerate() {
        let x = LEFT + 150.0 * index as f64;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{}\"/>\
             <text x=\"{}\" y=\"{}\">{count} process{}</text>",
            HEIGHT - 26.0,
            SHADES[index % SHADES.len()],
            x + 18.0,
            HEIGHT - 16.0,
            if *count == 1 { "" } else { "es" }
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The smallest round number that is not below the largest value: 1, 2 or 5 times a power of ten, in quarters that stay round.
fn scale_top(largest: f64) -> f64 {
    let power = 10_f64.powf(largest.log10().floor());
    [1.0, 2.0, 4.0, 6.0, 8.0, 10.0].into_iter().map(|step| step * power).find(|top| *top >= largest).unwrap_or(largest)
}

#[cfg(test)]
mod tests {
    use super::super::load::Figures;
    use super::*;

    #[test]
    fn every_point_is_a_bar_within_the_picture() {
        let point = |partitions, processes, per_second| {
            let figures = Figures { in_flight: 256, requests: 1, per_second, p50_us: 1, p99_us: 1, cpu_us: None };
            Point { partitions, processes, figures }
        };
        let points = [point(1, 1, 9_000.0), point(1, 2, 12_345.0), point(4, 1, 20_000.0), point(4, 2, 1.0)];
        let svg = scaling(&points, "t");
        assert_eq!(svg.matches("<rect x=").count(), 4 + 2, "bars and the key to their shades");
        assert!(svg.contains(">20000<"), "the scale goes up to the largest value");
        assert!(svg.contains("1 partition<") && svg.contains("4 partitions<") && svg.contains("2 processes<"));
    }

    #[test]
    fn the_scale_is_round() {
        for (largest, top) in [(1.0, 1.0), (1.1, 2.0), (345.0, 400.0), (9_001.0, 10_000.0)] {
            assert!((scale_top(largest) - top).abs() < 1e-6, "{largest}");
        }
    }
}
