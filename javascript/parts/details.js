// What a reader adds to a capture: its star, title, note and tags.
((pc) => {
    "use strict";

    class Details {
        constructor(channel, id, edited) {
            this.channel = channel;
            this.id = id;
            this.edited = edited;
            this.element = pc.make("div", {class: "pc-details"});
            this.draw();
        }

        /** What is known now, from the list; a form that is open stays. */
        update(row) {
            const before = told(this.edited);
            this.edited = row;
            if (!this.form && told(row) !== before) this.draw();
        }

        /** Turn the star. */
        star() {
            return this.save({starred: !this.edited.starred});
        }

        draw(focus = false) {
            const held = this.element.contains(document.activeElement) && document.activeElement.classList[0];
            this.form = null;
            const {title, note, tags, starred} = this.edited;
            const star = pc.starButton(starred, "", () => this.star());
            const editor = pc.button(pc.t("Edit"), pc.t("Edit title, note and tags"), () => this.edit(), "pc-small");
            const words = tags.map((tag) => pc.make("li", {class: "pc-tag", dir: "auto"}, tag));
            this.element.replaceChildren(...[
                star,
                title ? pc.make("b", {class: "pc-given", dir: "auto"}, title) : null,
                tags.length ? pc.make("ul", {class: "pc-tags", "aria-label": pc.t("Tags")}, ...words) : null,
                editor,
                note ? pc.make("p", {class: "pc-remark", dir: "auto"}, note) : null,
            ].filter(Boolean));
            if (focus) editor.focus();
            else if (held) this.element.querySelector(`.${held}`)?.focus({preventScroll: true});
        }

        edit() {
            const {title, note, tags} = this.edited;
            const titled = pc.make("input", {type: "text", value: title, maxLength: 500});
            const noted = pc.make("textarea", {value: note, rows: 3, maxLength: 20000});
            const tagged = pc.make("input", {type: "text", value: tags.join(", ")});
            const fields = [[pc.t("Title"), titled], [pc.t("Note"), noted], [pc.t("Tags, with commas between"), tagged]];
            const send = (event) => {
                event.preventDefault();
                const names = tagged.value.split(",").map((tag) => tag.trim()).filter(Boolean);
                this.save({title: titled.value, note: noted.value, tags: names});
            };
            const shut = (event) => {
                if (event.key !== "Escape") return;
                event.stopPropagation();
                this.draw(true);
            };
            this.form = pc.make("form", {class: "pc-form", onsubmit: send, onkeydown: shut},
                ...fields.map(([text, input]) => pc.make("label", {class: "pc-field"}, pc.make("span", {}, text), input)),
                pc.make("div", {class: "pc-actions"},
                    pc.make("button", {type: "submit", class: "pc-button pc-primary"}, pc.t("Save")),
                    pc.button(pc.t("Cancel"), "", () => this.draw(true))));
            this.element.replaceChildren(this.form);
            titled.focus();
        }

        async save(changes) {
            try {
                await this.channel.ask("edit", {captures: [this.id], changes});
            } catch (error) {
                return pc.toast(pc.t("Not saved: {reason}", {reason: error.message}), {bad: true});
            }
            const formed = Boolean(this.form);
            this.edited = {...this.edited, ...changes};
            this.draw(formed);
        }
    }

    function told({title, note, tags, starred}) {
        return JSON.stringify([title, note, tags, Boolean(starred)]);
    }

    Object.assign(pc, {Details});
})((window.payloadCapture = window.payloadCapture || {}));
