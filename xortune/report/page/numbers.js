"use strict";
/* Numbers as Python's format() writes them, for the specifications d, .Ne, .Ng, .0f and .0%. */

const numbers = (() => {
  /* The digits of a positive number, `places` of them after the first, and its exponent. */
  function rounded(value, places) {
    const short = String(value).replace(/e.*$/, "").replace(".", "").replace(/^0+|0+$/g, "");
    if (short.length === places + 2 && short.endsWith("5")) {
      /* JavaScript rounds what lies exactly between two numbers up, and Python to the even one. */
      const [exact, exponent] = value.toExponential(Math.min(places + 60, 100)).split("e");
      const digits = exact.replace(".", "");
      const kept = digits.slice(0, places + 1);
      if (/^50*$/.test(digits.slice(places + 1)) && Number(kept.at(-1)) % 2 === 0) {
        return [kept, Number(exponent)];
      }
    }
    const [mantissa, exponent] = value.toExponential(places).split("e");
    return [mantissa.replace(".", ""), Number(exponent)];
  }

  function scientific(digits, exponent) {
    const sign = exponent < 0 ? "-" : "+";
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return (digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits) + `e${sign}${size}`;
  }

  function general(value, precision) {
    if (value === 0) return "0";
    const [all, exponent] = rounded(value, precision - 1);
    const digits = all.replace(/0+$/, "") || "0";
    if (exponent < -4 || exponent >= precision) return scientific(digits, exponent);
    if (exponent < 0) return "0." + "0".repeat(-exponent - 1) + digits;
    const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
    const rest = digits.slice(exponent + 1);
    return rest ? `${whole}.${rest}` : whole;
  }

  function whole(value) {
    const below = Math.floor(value);
    if (value - below !== 0.5) return Math.round(value).toFixed(0);
    return (below % 2 === 0 ? below : below + 1).toFixed(0);
  }

  function text(value, form) {
    if (typeof value === "string" || form === "d") return String(value);
    const negative = value < 0 || Object.is(value, -0);
    const size = Math.abs(value);
    let shown;
    if (form === ".0%") shown = `${whole(size * 100)}%`;
    else if (form === ".0f") shown = whole(size);
    else if (form.endsWith("e")) {
      const places = Number(form.slice(1, -1));
      shown = size === 0 ? scientific("0".repeat(places + 1), 0) : scientific(...rounded(size, places));
    } else shown = general(size, Number(form.slice(1, -1)));
    return negative ? `-${shown}` : shown;
  }

  return { text };
})();
