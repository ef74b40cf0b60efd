// Two captures beside each other: their pictures, and what differs in all that made them.
((pc) => {
    "use strict";

    const REMEMBERED = 6;
    const seen = new WeakMap(); // by channel, the captures that were shown, the last first

    /** Take note that a capture is shown: it is offered when another one is to be compared. */
    function looked(channel, id) {
        const before = (seen.get(channel) || []).filter((one) => one !== id);
        seen.set(channel, [id, ...before].slice(0, REMEMBERED));
    }

    /** A capture in a line. */
    function line(row) {
        const when = new Date(row.started);
        const time = Number.isNaN(when.getTime()) ? "" : when.toLocaleString();
        const prompt = row.prompt.length > 60 ? `${row.prompt.slice(0, 60)}…` : row.prompt;
        return [time, pc.t(row.kind), row.seed && pc.t("seed {seed}", {seed: row.seed}), prompt].filter(Boolean).join(" · ");
    }

    class Comparison {
        constructor(channel, a, b) {
            this.channel = channel;
            this.a = a;
            this.b = b;
            this.thumbnails = new pc.Thumbnails(channel);
            const closed = () => this.thumbnails.observer.disconnect();
            const {dialog, body} = pc.openDialog(pc.t("Compare"), closed);
            this.dialog = dialog;
            this.first = pc.make("p", {class: "pc-compared", dir: "auto"}, pc.t("Loading…"));
            this.choice = pc.make("select", {onchange: () => this.choose(this.choice.value)});
            const second = pc.make("label", {class: "pc-compared"}, pc.make("b", {}, "B"), this.choice);
            second.title = pc.t("The capture to compare with");
            this.choice.setAttribute("aria-label", pc.t("B, the capture to compare with"));
            this.content = pc.make("div", {"aria-live": "polite"});
            body.append(this.first, second, this.content);
        }

        async run() {
            try {
                const shown = [...new Set([this.b, ...(seen.get(this.channel) || [])].filter(Boolean))];
                const offered = await this.channel.ask("neighbours", {capture: this.a, shown});
                this.offer(offered);
                if (this.b) return await this.draw();
                this.choice.disabled = true;
                this.say(pc.t("There is no other capture to compare with yet."));
            } catch (error) {
                this.say(error.message, true);
            }
        }

        offer({shown, older}) {
            const group = (label, rows) => pc.make("optgroup", {label},
                ...rows.map((row) => pc.make("option", {value: row.id, dir: "auto"}, line(row))));
            const groups = [[pc.t("Shown before"), shown], [pc.t("Older"), older]].filter(([, rows]) => rows.length);
            this.choice.replaceChildren(...groups.map(([label, rows]) => group(label, rows)));
            const first = [...shown, ...older][0];
            if (!this.b && first) this.b = first.id;
            this.choice.value = this.b;
        }

        async choose(id) {
            this.b = id;
            try {
                await this.draw();
            } catch (error) {
                this.say(error.message, true);
            }
        }

        async draw() {
            const [a, b] = [this.a, this.b];
            this.say(pc.t("Loading…"));
            const found = await this.channel.ask("compare", {a, b}, pc.PATIENCE_FOR_PICTURES);
            if (b !== this.b || !this.dialog.isConnected) return; // another one was chosen meanwhile
            this.first.replaceChildren(pc.make("b", {}, "A"), pc.verbatim(line(found.a)));
            this.content.replaceChildren(...this.pictures(found), ...this.differences(found));
        }

        pictures({pictures, blurred}) {
            const telling = Math.max(0, pictures.findIndex((picture) => !picture.same));
            return pictures.map((picture, index) => {
                const state = picture.same ? pc.t("the same pixels") : "";
                const words = [`${index + 1}. ${picture.words}`, state].filter(Boolean).join(" · ");
                return pc.pair(this.channel, picture, ["A", "B"], [words], index === telling && !blurred);
            });
        }

        differences({differences, more}) {
            if (!differences.length) {
                const words = pc.t("Nothing differs in the payload, the settings and what they were made with.");
                return [pc.make("p", {class: "pc-note"}, words)];
            }
            const drawn = new pc.Differences(this.channel, this.thumbnails);
            const titles = {
                payload: pc.t("Payload"),
                settings: pc.t("Settings"),
                host: pc.t("Made with"),
                rest: pc.t("What was typed and chosen"),
            };
            const lists = Object.entries(titles)
                .map(([name, title]) => [differences.filter((entry) => entry.group === name), title])
                .filter(([entries]) => entries.length)
                .map(([entries, title]) => drawn.list(entries, title));
            if (more) lists.push(pc.make("p", {class: "pc-note"}, pc.t("and {count} more", {count: more.toLocaleString()})));
            return lists;
        }

        say(text, bad = false) {
            this.content.replaceChildren(pc.make("p", {class: bad ? "pc-bad" : "pc-note", dir: "auto"}, text));
        }
    }

    /** A dialog that compares captures; without `b` the reader chooses, the one shown before first. */
    function compare(channel, a, b) {
        return new Comparison(channel, a, b).run();
    }

    Object.assign(pc, {compare, looked});
})((window.payloadCapture = window.payloadCapture || {}));
