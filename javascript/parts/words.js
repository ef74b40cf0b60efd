// The page's words in the reader's language: the webui's localisation files, of which the
// extension brings some in `localizations/`.
((pc) => {
    "use strict";

    const JOINER = "\u2060"; // a character without width, at which no line breaks

    /**
     * A text in the language that the webui's settings name, English where its file has none.
     * `{name}` in it stands for a value of `values`. The webui translates whole texts of the page
     * by itself, but neither those with values in them nor labels that only screen readers read.
     * The file is that of the whole page: `meaning` tells one meaning of a word from the others.
     */
    function t(text, values = {}, meaning = "") {
        const known = window.localization || {};
        const key = meaning ? `${text}|${meaning}` : text;
        const shown = Object.hasOwn(known, key) ? known[key] : text;
        return shown.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
    }

    /**
     * A text that is data, such as a prompt, for the page: an element's child that shows it as it
     * is. The webui looks each text of the page up in its localisation file, so a prompt "None"
     * would be translated; of a text that stands there, parts are made that do not.
     */
    function verbatim(text) {
        const known = window.localization || {};
        const listed = (part) => known[part.trim()] !== undefined;
        const shown = String(text);
        if (!listed(shown)) return document.createTextNode(shown);
        const parts = document.createDocumentFragment();
        for (let cut = 1; cut < shown.length; cut += 1) {
            const halves = [shown.slice(0, cut), shown.slice(cut)];
            if (halves.some(listed) || /^[\uDC00-\uDFFF]/.test(halves[1])) continue;
            parts.append(...halves);
            return parts;
        }
        parts.append(shown + JOINER);
        return parts;
    }

    Object.assign(pc, {t, verbatim});
})((window.payloadCapture = window.payloadCapture || {}));
