// Numbers as text.

const UNITS = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];

// A number of ticks as a time in the largest unit that gives at least 1, with 4 digits or so.
export function formatSpan(ticks, ticksPerSecond) {
    const seconds = ticks / ticksPerSecond;
    if (seconds === 0)
        return "0";
    const [size, unit] = UNITS.find(([size]) => Math.abs(seconds) >= size) || UNITS[3];
    const value = seconds / size, digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return `${value.toFixed(digits)} ${unit}`;
}

// A time in microseconds, with three digits after the point.
export function formatMicroseconds(ticks, ticksPerSecond) {
    const value = ticks / ticksPerSecond * 1e6;
    return value.toLocaleString("en", { minimumFractionDigits: 3, maximumFractionDigits: 3 });
}

export function formatNumber(value) {
    return value.toLocaleString("en");
}

// A part of a whole, in percent.
export function formatShare(part, whole) {
    return whole > 0 ? `${(100 * part / whole).toFixed(1)} %` : "–";
}

export function hex8(value) {
    return (value >>> 0).toString(16).padStart(8, "0");
}
