// The gallery's keys. They act only while it is seen and nobody writes.
((pc) => {
    "use strict";

    const WRITING = "textarea, select, [contenteditable]:not([contenteditable=false]), " +
        "input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=range])";

    /** [keys, what they do], as the help shows them. */
    const HELP = [
        ["↑ ↓ ← →", "Go through the captures"],
        ["Home, End", "The newest, the oldest that is loaded"],
        ["Enter", "Open the capture and go to it"],
        ["/", "Search"],
        ["C", "Copy the payload"],
        ["R", "Replay & verify"],
        ["S", "Star, or take the star away"],
        ["Del", "Delete, with a way to undo it"],
        ["Space", "Select, or take out of the selection"],
        ["Shift + arrows, Shift + click", "Extend the selection"],
        ["Ctrl + A", "Select all that is loaded"],
        ["Esc", "Clear the selection"],
        ["?", "These keys"],
    ];

    class Keys {
        /** `acts` are functions by what they do; `shown()` says whether the gallery, `element`, is seen. */
        constructor(element, acts, shown) {
            this.element = element;
            this.acts = acts;
            this.shown = shown;
            this.listen = (event) => this.pressed(event);
            document.addEventListener("keydown", this.listen);
        }

        close() {
            document.removeEventListener("keydown", this.listen);
        }

        pressed(event) {
            const at = event.target instanceof Element ? event.target : document.body;
            if (event.defaultPrevented || event.isComposing || !this.shown()) return;
            if (at.closest(WRITING) || document.querySelector("dialog[open]") || !this.ours(at)) return;
            const act = this.found(event, at);
            if (!act) return;
            event.preventDefault();
            act();
        }

        /** Whether no other control of the page has the focus; the button that opened the tab keeps it. */
        ours(at) {
            return at === document.body || this.element.contains(at) || at.closest("#tabs > .tab-nav");
        }

        /** What a press means where the focus is, null for nothing of ours. */
        found(event, at) {
            const {acts} = this;
            if (event.ctrlKey || event.metaKey) {
                return event.key.toLowerCase() === "a" && !event.altKey && !event.shiftKey ? acts.all : null;
            }
            if (event.altKey) return null;
            const step = {ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right",
                Home: "first", End: "last"}[event.key];
            // The detail scrolls by these, and what it holds may move by them.
            if (step) return at.closest(".pc-detail") ? null : () => acts.go(step, event.shiftKey);
            const free = at === document.body || at.matches(".pc-row, .pc-left"); // not a button that they press
            const item = at.closest(".pc-item"); // of the row that has the focus, the current one or not
            if (event.key === "Enter") return free ? () => acts.open(item?.dataset.id) : null;
            if (event.key === " ") return free ? () => acts.toggle(item?.dataset.id) : null;
            if (event.key === "?") return acts.help;
            if (event.shiftKey) return null;
            const plain = {"/": acts.search, c: acts.copy, r: acts.prove, s: acts.star,
                Delete: acts.remove, Escape: acts.clear};
            return plain[event.key] || plain[event.key.toLowerCase()] || null;
        }
    }

    /** A dialog that names the keys. */
    function showKeys() {
        const rows = HELP.flatMap(([keys, text]) => [
            pc.make("dt", {}, pc.make("kbd", {}, keys)), pc.make("dd", {}, pc.t(text))]);
        const shut = () => dialog.close();
        const dialog = pc.make("dialog", {class: "payload-capture-dialog pc-keys", "aria-label": pc.t("Keys")},
            pc.make("h2", {}, pc.t("Keys")), pc.make("dl", {}, ...rows),
            pc.make("div", {class: "pc-bar"}, pc.button(pc.t("Close"), "", shut)));
        pc.showDialog(dialog);
    }

    Object.assign(pc, {Keys, showKeys});
})((window.payloadCapture = window.payloadCapture || {}));
