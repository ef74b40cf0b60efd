// "Send to": fills a tab's fields with a capture, so that Generate makes its pictures again.
((pc) => {
    "use strict";

    const PAUSE = 300; // in which fields that change with another one have followed, where the webui is quick
    const LOOKS = 12;
    const FILLINGS = 3;

    let busy = false; // with one capture: the page's fields are the same for all

    /** Have Python do something with a tab's fields; resolves with what it tells, and how long that `took`. */
    async function ask(name, target, capture) {
        const begun = performance.now();
        const answer = await pc.askForm(target, name, {capture});
        return {...answer, took: performance.now() - begun};
    }

    /** Wait for the events of other fields, which take a busy webui as long as ours did. */
    function pause(took) {
        return new Promise((resolve) => setTimeout(resolve, Math.max(PAUSE, 2 * took)));
    }

    /** Fill in, and again what the page's own scripts undid. Returns what is not set, and what to press. */
    async function fill(target, capture) {
        let unset = [];
        let button = "";
        for (let filling = 0; filling < FILLINGS; filling += 1) {
            const filled = await ask("fill", target, capture);
            button = filled.button;
            filled.panels.forEach((id) => pc.openPanel(document.getElementById(id)));
            unset = await settled(target, capture, filled.took);
            if (!unset.some((one) => one.code === "differs")) break;
        }
        return {unset, button};
    }

    /** What is not set, once the page says the same twice. */
    async function settled(target, capture, took) {
        let pending = took;
        let before = null;
        for (let look = 0; look < LOOKS; look += 1) {
            await pause(pending);
            const answer = await ask("check", target, capture);
            const now = JSON.stringify(answer.unset);
            if (now === before) return answer.unset;
            [before, pending] = [now, answer.took];
        }
        return JSON.parse(before);
    }

    async function send(target, capture, say) {
        if (busy) return;
        busy = true;
        say(pc.t("Filling in…"));
        try {
            const {unset, button} = await fill(target, capture);
            say("");
            report(unset, button);
        } catch (error) {
            say("");
            pc.toast(pc.t("Not sent: {reason}", {reason: error.message}), {bad: true});
        }
        busy = false;
    }

    function report(unset, button) {
        if (!unset.length) {
            pc.toast(button === "upscale"
                ? pc.t("All set: the ✨ button below the picture makes this picture again.")
                : pc.t("All set: Generate makes this picture again."));
            return;
        }
        const lines = unset.map((one) => (one.name ? `${one.name}: ` : "") + reason(one));
        pc.toast([pc.t("Filled in, but this could not be set:"), ...lines].join("\n"), {bad: true});
    }

    function reason({code, words}) {
        switch (code) {
        case "choice": return pc.t("{value} is not offered here", words);
        case "range": return pc.t("{value} is not between {least} and {most}", words);
        case "kind": return pc.t("takes no such value as {value}", words);
        case "setting": return pc.t("{value}, which “Override settings” cannot set: set it in Settings", words);
        case "no_field": return pc.t("{value}, for which only the API has a field", words);
        case "refused": return pc.t("its own script refuses these values: {value}", words);
        case "missing": return pc.t("this webui has no such operation");
        case "differs": return pc.t("the page shows {value} instead of {wanted}", words);
        case "more": return pc.t("The page makes one request at a time; {value} more are left out.", words);
        case "more_pictures": return pc.t("the page takes one picture; {value} more are left out", words);
        case "first_picture":
            return pc.t("Generate begins anew; the ✨ button began with a picture that was there.");
        default: return pc.t("cannot be filled in from here: set it by hand");
        }
    }

    const NAMES = {txt2img: "txt2img", img2img: "img2img", inpaint: "inpaint", extras: "Extras"};

    /** The buttons that send a capture to the tab that makes such pictures. */
    function sendButtons(view, capture) {
        const box = pc.make("span", {class: "pc-send", "data-capture": capture.id});
        const {target, shown} = capture.fits || {};
        if (!pc.hasForm(target)) return box;
        const words = pc.t("Send to {tab}", {tab: pc.t(NAMES[shown])});
        const label = pc.t("Send to {tab}: fill in everything, so that Generate makes this picture again", {tab: pc.t(NAMES[shown])});
        const pressed = pc.button(words, label, async () => {
            pressed.disabled = true;
            await send(target, capture.id, (text) => view.say(text));
            pressed.disabled = false;
        });
        box.append(pressed);
        return box;
    }

    Object.assign(pc, {sendButtons});
})((window.payloadCapture = window.payloadCapture || {}));
