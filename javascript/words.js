// The page's words in the reader's language: the webui's localisation files, of which the
// extension brings some in `localizations/`.
((pc) => {
    "use strict";

    /**
     * A text in the language that the webui's settings name, English where its file has none.
     * `{name}` in it stands for a value of `values`. The webui translates whole texts of the page
     * by itself, but neither those with values in them nor labels that only screen readers read.
     */
    function t(text, values = {}) {
        const known = (window.localization && window.localization[text]) || text;
        return known.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
    }

    Object.assign(pc, {t});
})((window.payloadCapture = window.payloadCapture || {}));
