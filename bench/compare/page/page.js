// SPDX-License-Identifier: BSD-2-Clause
// The charts: medians as marks on a logarithmic scale, intervals as bars, figures beside the marks.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const charts = [];

// Three digits, as in the tables (words.py).
function quantity(x) {
	if (x >= 100) return Math.round(x).toLocaleString("en");
	return String(Number(x.toPrecision(3)));
}

// Bars behind the marks, and one label a line, right of its last mark or bar; left where that is too narrow.
const annotations = {
	id: "annotations",
	beforeDatasetsDraw(chart) {
		const { ctx, scales: { x, y } } = chart;
		ctx.save();
		ctx.lineWidth = 3;
		ctx.globalAlpha = 0.45;
		for (const set of chart.data.datasets)
			for (const p of set.data) {
				const line = y.getPixelForValue(p.y);
				ctx.strokeStyle = colour(p.colour);
				ctx.beginPath();
				ctx.moveTo(x.getPixelForValue(p.ci[0]), line);
				ctx.lineTo(x.getPixelForValue(p.ci[1]), line);
				ctx.stroke();
			}
		ctx.restore();
	},
	afterDatasetsDraw(chart) {
		const { ctx, scales: { x, y } } = chart;
		const ends = new Map();
		for (const set of chart.data.datasets)
			for (const p of set.data) {
				const e = ends.get(p.y) || { left: Infinity, right: 0, texts: [] };
				e.left = Math.min(e.left, x.getPixelForValue(Math.min(p.x, p.ci[0])));
				e.right = Math.max(e.right, x.getPixelForValue(Math.max(p.x, p.ci[1])));
				e.texts.push(p.text);
				ends.set(p.y, e);
			}
		ctx.save();
		ctx.font = `12px ${getComputedStyle(document.body).fontFamily}`;
		ctx.fillStyle = colour("soft");
		ctx.textBaseline = "middle";
		for (const [label, e] of ends) {
			const text = e.texts.join("  |  "), width = ctx.measureText(text).width;
			const fits = e.right + 10 + width <= chart.width;
			ctx.fillText(text, fits ? e.right + 10 : Math.max(x.left, e.left - 10 - width), y.getPixelForValue(label));
		}
		ctx.restore();
	},
};

// The line at which both are equally fast.
const even = {
	id: "even",
	beforeDatasetsDraw(chart) {
		const { ctx, chartArea, scales: { x } } = chart, at = x.getPixelForValue(1);
		ctx.save();
		ctx.strokeStyle = colour("ink");
		ctx.beginPath();
		ctx.moveTo(at, chartArea.top);
		ctx.lineTo(at, chartArea.bottom);
		ctx.stroke();
		ctx.restore();
	},
};

// Room on the right for the labels, in powers of the range.
function bounds(sets, also) {
	const all = sets.flatMap((s) => s.data.flatMap((p) => [p.x, ...p.ci])).concat(also);
	const low = Math.min(...all), high = Math.max(...all), span = Math.max(high / low, 3);
	return { min: low / Math.pow(span, 0.06), max: high * Math.pow(span, 0.3) };
}

const nice = (v) => [1, 2, 5].includes(Math.round(v / Math.pow(10, Math.floor(Math.log10(v) + 1e-9)) * 1e6) / 1e6);

function draw(id, labels, sets, unit, plugins, also) {
	const canvas = document.getElementById(id);
	const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
	charts.push(new Chart(canvas, {
		type: "scatter",
		data: { datasets: sets },
		plugins: [...plugins, annotations],
		options: {
			animation: reduced ? false : { duration: 0 },
			maintainAspectRatio: false,
			scales: {
				x: {
					type: "logarithmic", ...bounds(sets, also), border: { display: false },
					ticks: { maxRotation: 0, callback: (v) => (nice(v) ? quantity(v) + unit : null) },
				},
				y: { type: "category", labels, offset: true, border: { display: false }, ticks: { autoSkip: false } },
			},
			plugins: {
				legend: { display: false },
				tooltip: {
					callbacks: {
						label: (c) => `${c.raw.y}, ${c.dataset.label}: ${quantity(c.raw.x)}${unit}, ` +
							`95 % ${quantity(c.raw.ci[0])} to ${quantity(c.raw.ci[1])}, n = ${c.raw.n}`,
					},
				},
			},
		},
	}));
}

// Worker counts are told apart by shape and filling.
function sets(points) {
	return data.marks.map(({ workers, shape, hollow }) => ({
		label: `${workers} worker${workers > 1 ? "s" : ""}`, data: points.filter((p) => p.workers === workers),
		hollow, pointStyle: shape, pointRadius: 5, pointBorderWidth: 2, pointHoverRadius: 7,
	}));
}

function paint() {
	Chart.defaults.color = colour("ink");
	Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
	for (const chart of charts) {
		for (const set of chart.data.datasets) {
			set.pointBorderColor = set.data.map((p) => colour(p.colour));
			set.pointBackgroundColor = set.data.map((p) => colour(set.hollow ? "card" : p.colour));
		}
		chart.options.scales.x.grid = { color: colour("grid") };
		chart.options.scales.y.grid = { color: colour("grid") };
		chart.options.scales.x.ticks.color = colour("soft");
		chart.options.scales.y.ticks.color = colour("ink");
		chart.update("none");
	}
}

const { overview } = data;
if (overview.points.length)
	draw("chart-overview", overview.labels, sets(overview.points), " ×", [even], [1]);
for (const row of data.rows)
	if (row.points.length)
		draw(row.id, row.labels, sets(row.points), ` ${row.unit}`, [], []);
paint();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
