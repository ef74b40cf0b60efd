// What stands above a tree: search within it, fold and unfold.
((pc) => {
    "use strict";

    const PAUSE = 200; // ms after the last letter
    const AT_ONCE = 30; // hits that are unfolded before somebody goes to them

    class TreeSearch {
        constructor(tree) {
            this.tree = tree;
            this.hits = [];
            this.count = 0;
            this.index = -1;
            this.words = "";
            this.timer = null;
            this.marked = new Map(); // rows by the number of their hit
            tree.say = (text, bad) => this.say(text, bad);
        }

        draw() {
            const label = pc.t("Search in the payload");
            this.field = pc.make("input", {type: "search", class: "pc-search", placeholder: label, "aria-label": label});
            this.field.addEventListener("input", () => {
                clearTimeout(this.timer);
                this.timer = setTimeout(() => this.search(), PAUSE);
            });
            this.field.addEventListener("keydown", (event) => this.pressed(event));
            this.status = pc.make("span", {class: "pc-status", role: "status"});
            this.found = pc.make("span", {class: "pc-note pc-found", role: "status"});
            this.back = pc.button("‹", pc.t("Previous hit"), () => this.go(this.index - 1), "pc-small");
            this.on = pc.button("›", pc.t("Next hit"), () => this.go(this.index + 1), "pc-small");
            this.tell();
            return pc.make("div", {class: "pc-bar"}, this.field, this.found, this.back, this.on,
                pc.button(pc.t("Unfold all"), "", () => this.unfold(), "pc-small"),
                pc.button(pc.t("Fold all"), "", () => this.tree.foldAll(), "pc-small"), this.status);
        }

        pressed(event) {
            if (event.key === "Enter") {
                clearTimeout(this.timer);
                if (this.field.value !== this.words) this.search();
                else this.go(this.index + (event.shiftKey ? -1 : 1));
            } else if (event.key === "Escape" && this.field.value) {
                this.field.value = "";
                this.search();
            } else return;
            event.preventDefault();
            event.stopPropagation();
        }

        async search() {
            const words = this.field.value;
            this.words = words;
            let told = {count: 0, hits: []};
            try {
                if (words) told = await this.tree.ask("find", {words});
            } catch (error) {
                this.say(error.message, true);
            }
            if (this.words !== words) return; // another one began meanwhile
            this.unmark();
            Object.assign(this, told, {index: -1});
            this.tell();
            for (let index = 0; index < Math.min(this.hits.length, AT_ONCE); index += 1) {
                await this.mark(index);
                if (this.words !== words) return;
            }
            if (this.hits.length) this.go(0);
        }

        async go(index) {
            const {length} = this.hits;
            if (!length) return;
            const before = this.marked.get(this.index);
            this.index = (index + length) % length;
            this.tell();
            if (before) before.element.classList.remove("pc-current");
            const row = await this.mark(this.index);
            if (row !== this.marked.get(this.index)) return;
            row.element.classList.add("pc-current");
            row.element.scrollIntoView({block: "nearest"});
        }

        tell() {
            const count = this.count.toLocaleString();
            const number = (this.index + 1).toLocaleString();
            const known = this.hits.length.toLocaleString();
            let words = "";
            if (this.words && !this.count) words = pc.t("nothing found");
            else if (this.count > this.hits.length) words = pc.t("{number} of {count}, of which the first {known} are shown", {number, count, known});
            else if (this.count) words = pc.t("{number} of {count}", {number, count});
            this.found.textContent = words;
            this.back.disabled = this.on.disabled = !this.hits.length;
        }

        /** Unfold down to a hit and mark it: its row, and the words in it. */
        async mark(index) {
            if (this.marked.has(index)) return this.marked.get(index);
            const {at, near} = this.hits[index];
            const words = this.words;
            const row = await this.tree.reveal(at);
            if (this.words !== words) return row;
            this.marked.set(index, row);
            row.element.classList.add("pc-hit");
            if (near) (row.head || row.element).append(pc.make("span", {class: "pc-near", dir: "auto"}, `… ${near} …`));
            const own = row.head || row.element;
            own.querySelectorAll(":scope > :is(.pc-key, .pc-label, .pc-text, .pc-value, .pc-near), :scope > .pc-long > .pc-text")
                .forEach((element) => highlight(element, words));
            return row;
        }

        unmark() {
            for (const {element} of this.marked.values()) {
                element.classList.remove("pc-hit", "pc-current");
                element.querySelectorAll(".pc-near").forEach((near) => near.remove());
                const marked = new Set([...element.querySelectorAll("mark")].map((mark) => mark.parentNode));
                marked.forEach((one) => one.replaceChildren(pc.verbatim(one.textContent)));
            }
            this.marked.clear();
        }

        async unfold() {
            if (!(await this.tree.unfoldAll())) this.say(pc.t("There is more than is unfolded at once: unfold the rest by hand, or search."));
        }

        say(text, bad = false) {
            this.status.textContent = text;
            this.status.classList.toggle("pc-bad", bad);
        }
    }

    function highlight(element, words) {
        const wanted = new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi");
        const text = element.textContent;
        const parts = [];
        let end = 0;
        for (const found of text.matchAll(wanted)) {
            parts.push(pc.verbatim(text.slice(end, found.index)), pc.make("mark", {}, pc.verbatim(found[0])));
            end = found.index + found[0].length;
        }
        if (parts.length) element.replaceChildren(...parts, pc.verbatim(text.slice(end)));
    }

    Object.assign(pc, {TreeSearch});
})((window.payloadCapture = window.payloadCapture || {}));
