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
        if (!done) throw new Error(pc.t("the browser did not allow it"));
    }

    /**
     * Copies texts that may have to be fetched first, and says how it went by `say(text, bad)`.
     * Browsers allow copying for a short time after a press: what comes later waits for the next.
     */
    class Copies {
        constructor(say) {
            this.say = say;
            this.ready = new Map();
        }

        /** Fetch a text once; `key` "" is for what is at hand. */
        async text(key, fetch) {
            if (!key) return fetch();
            if (!this.ready.has(key)) this.ready.set(key, {text: null, coming: fetch()});
            const kept = this.ready.get(key);
            try {
                kept.text = await kept.coming;
            } catch (error) {
                this.ready.delete(key);
                throw error;
            }
            return kept.text;
        }

        /** Take note of a text that came on another way. */
        keep(key, text) {
            this.ready.set(key, {text, coming: text});
        }

        async copy(key, fetch) {
            let text = (this.ready.get(key) || {text: null}).text;
            try {
                if (text === null) {
                    const made = key ? this.text(key, fetch) : fetch();
                    if (typeof made !== "string") this.say(pc.t("Fetching…"));
                    text = await made;
                }
            } catch (error) {
                return this.say(pc.t("Not copied: {reason}", {reason: error.message}), true);
            }
            try {
                await copy(text);
                this.say(pc.t("Copied, {size}", {size: pc.size(text.length)}));
            } catch (error) {
                const reason = error.message;
                this.say(pc.t("Not copied: {reason}. It is ready now: press again, or download it.", {reason}), true);
            }
        }
    }

    Object.assign(pc, {Copies});
})((window.payloadCapture = window.payloadCapture || {}));
