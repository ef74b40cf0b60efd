// Copying, also over plain http from another machine.
((pc) => {
    "use strict";

    /** Puts text on the clipboard. Over plain http from another machine only the old way exists. */
    async function copy(text) {
        if (navigator.clipboard && window.isSecureContext) {
            try {
                return await navigator.clipboard.writeText(text);
            } catch (error) {
                // not allowed; the old way may be
            }
        }
        copyByCommand(text);
    }

    function copyByCommand(text) {
        const before = document.activeElement;
        // The browser copies only what is selected; the text itself, maybe megabytes, need not be.
        const area = pc.make("textarea", {class: "pc-offscreen", value: "x", "aria-hidden": "true"});
        const give = (event) => {
            event.clipboardData.setData("text/plain", text);
            event.preventDefault();
            event.stopImmediatePropagation();
        };
        document.body.append(area);
        area.select();
        document.addEventListener("copy", give, true);
        const done = document.execCommand("copy");
        document.removeEventListener("copy", give, true);
        area.remove();
        if (before && before.focus) before.focus({preventScroll: true});
        if (!done) throw new Error("the browser did not allow it");
    }

    Object.assign(pc, {copy});
})((window.payloadCapture = window.payloadCapture || {}));
