// Colours of versions, the same as in reports, and pictures that follow light and dark.

const PALETTE = [
  "#3b7dd8", "#e0803a", "#2f9e6e", "#b5529f", "#8a7a1f", "#d1495b", "#4aa3b5", "#7a5cc4",
  "#6b8e23", "#a0522d",
];

/** The colour of a version. */
export function colour(version) {
  if (version === "$LATEST") return "#7f8896";
  const number = Number.parseInt(version, 10);
  return Number.isNaN(number) ? "#7f8896" : PALETTE[(number - 1) % PALETTE.length];
}

let loading;

/** Draw, or draw again, with plotly; it is loaded when the first picture is wanted. */
export async function draw(element, data, layout = {}) {
  loading ??= new Promise((ready, failed) => {
    const script = document.createElement("script");
    script.src = "/assets/plotly.min.js";
    script.onload = ready;
    script.onerror = () => failed(new Error("the script that draws cannot be loaded"));
    document.head.append(script);
  });
  await loading;
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink");
  const line = style.getPropertyValue("--line");
  const axis = (own) => ({ gridcolor: line, zerolinecolor: line, ...own });
  await globalThis.Plotly.react(element, data, {
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: ink },
    margin: { l: 55, r: 15, t: 10, b: 40 }, legend: { orientation: "h", y: 1.15 },
    hovermode: "x unified", uirevision: "kept", ...layout,
    xaxis: axis(layout.xaxis), yaxis: axis(layout.yaxis),
  }, { responsive: true, displaylogo: false, displayModeBar: false });
}
