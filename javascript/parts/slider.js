// Two pictures, one over the other with a slider between them, or what differs between them.
((pc) => {
    "use strict";

    const SMALLEST = 320; // pixels; smaller pictures are shown so large

    /** Make room for a picture: as large as it is, as far as there is place. */
    function fit(element, image) {
        const [width, height] = [image.naturalWidth, image.naturalHeight];
        element.style.aspectRatio = `${width} / ${height}`;
        element.style.width = `min(100%, ${Math.max(width, SMALLEST)}px, ${(70 * width) / height}vh)`;
        element.classList.toggle("pc-pixelated", width < SMALLEST);
    }

    /** The left part of `one` over `other`; the border between them is dragged, or moved by keys. */
    function slider(one, other, names) {
        const handle = pc.make("div", {
            class: "pc-handle", role: "slider", tabIndex: 0, "aria-valuemin": "0", "aria-valuemax": "100",
            "aria-label": pc.t("Border between {a} and {b}", {a: names[0], b: names[1]}),
        });
        const name = (side, text) => pc.make("span", {class: `pc-side pc-side-${side}`, "aria-hidden": "true"}, text);
        const stage = pc.make("div", {class: "pc-stage pc-slider", dir: "ltr"},
            other, one, name("a", names[0]), name("b", names[1]), handle);
        one.className = "pc-over";
        other.className = "pc-under";
        fit(stage, one);
        let at = 50;
        const move = (to) => {
            at = Math.min(100, Math.max(0, to));
            stage.style.setProperty("--pc-at", `${at}%`);
            const percent = Math.round(at);
            handle.setAttribute("aria-valuenow", percent);
            handle.setAttribute("aria-valuetext", pc.t("{percent} % {a}", {percent, a: names[0]}));
        };
        const follow = (event) => {
            const box = stage.getBoundingClientRect();
            move((100 * (event.clientX - box.left)) / box.width);
        };
        stage.addEventListener("pointerdown", (event) => {
            if (event.button !== 0) return;
            event.preventDefault(); // no picture is to be dragged away
            stage.setPointerCapture(event.pointerId);
            handle.focus({preventScroll: true});
            follow(event);
        });
        stage.addEventListener("pointermove", (event) => stage.hasPointerCapture(event.pointerId) && follow(event));
        handle.addEventListener("keydown", (event) => {
            const plain = !(event.ctrlKey || event.altKey || event.metaKey);
            const to = plain ? target(event, at) : null;
            if (to === null) return;
            event.preventDefault();
            event.stopPropagation(); // the list's arrows and the webui's keys are not meant
            move(to);
        });
        move(at);
        return stage;
    }

    /** Where a key moves the border at `at`; null for other keys. */
    function target({key, shiftKey}, at) {
        const step = shiftKey ? 10 : 1;
        const moves = {
            ArrowLeft: at - step, ArrowDown: at - step, ArrowRight: at + step, ArrowUp: at + step,
            PageDown: at - 10, PageUp: at + 10, Home: 0, End: 100,
        };
        return key in moves ? moves[key] : null;
    }

    /** Two loaded pictures: the slider, or the difference. */
    function juxtaposed(one, other, names) {
        const place = pc.make("div", {});
        const views = {
            slider: {text: pc.t("Slider"), made: slider(one, other, names)},
            difference: {text: pc.t("Difference"), made: null},
        };
        const show = (chosen) => {
            if (!views[chosen].made) views[chosen].made = pc.difference(one, other);
            for (const [name, view] of Object.entries(views)) {
                view.button.setAttribute("aria-pressed", String(name === chosen));
            }
            place.replaceChildren(views[chosen].made);
        };
        for (const [name, view] of Object.entries(views)) view.button = pc.button(view.text, "", () => show(name), "pc-small");
        const bar = pc.make("div", {class: "pc-views", role: "group", "aria-label": pc.t("How to compare")},
            ...Object.values(views).map((view) => view.button));
        show("slider");
        return pc.make("div", {}, bar, place);
    }

    /** An <img> that has loaded. The text holds the picture itself, so that nothing is to be freed. */
    async function loaded(channel, source, alt) {
        const {picture} = await channel.ask("picture", {source}, pc.PATIENCE_FOR_PICTURES);
        const image = pc.make("img", {alt, draggable: false, src: picture});
        await image.decode().catch(() => {
            throw new Error(pc.t("The browser cannot show this picture."));
        });
        return image;
    }

    async function content(channel, {a, b}, names) {
        const sources = [a, b];
        const images = [];
        for (const [side, source] of sources.entries()) {
            images.push(source ? await loaded(channel, source, names[side]) : null);
        }
        if (images[0] && images[1]) return juxtaposed(images[0], images[1], names);
        const side = images.findIndex(Boolean);
        if (side < 0) return pc.make("p", {class: "pc-note"}, pc.t("The pictures themselves were not kept."));
        images[side].className = "pc-stage";
        fit(images[side], images[side]);
        return pc.make("figure", {}, images[side], pc.make("figcaption", {}, names[side]));
    }

    /**
     * Two pictures that belong together, below a line that says what they are. `picture` is {a, b}:
     * what to ask for to see each, null for one that is not there, and `why` that is so. They are
     * fetched when it is unfolded.
     */
    function pair(channel, picture, names, title, open) {
        const body = pc.make("div", {class: "pc-pair-body"});
        const fold = pc.make("details", {class: "pc-pair"}, pc.make("summary", {}, ...title), body);
        const why = picture.why ? pc.make("p", {class: "pc-why", dir: "auto"}, picture.why) : null;
        let asked = false;
        const fill = async () => {
            if (!fold.open || asked) return;
            asked = true;
            body.replaceChildren(pc.make("p", {class: "pc-note"}, pc.t("Loading…")));
            try {
                body.replaceChildren(...[why, await content(channel, picture, names)].filter(Boolean));
            } catch (error) {
                body.replaceChildren(pc.make("p", {class: "pc-bad", dir: "auto"}, error.message));
                asked = false; // unfolded again, it is tried again
            }
        };
        fold.addEventListener("toggle", fill);
        fold.open = open;
        return fold;
    }

    Object.assign(pc, {fit, pair});
})((window.payloadCapture = window.payloadCapture || {}));
