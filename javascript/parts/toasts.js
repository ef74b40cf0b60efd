// Short messages at the edge of the page, with a way to take back what was done.
((pc) => {
    "use strict";

    const SECONDS = 8;
    let shelf = null;

    /** Where toasts appear: a popover over all else, in the open dialog, outside which nothing can be pressed. */
    function shown() {
        const dialogs = document.querySelectorAll("dialog.payload-capture-dialog[open]");
        const place = dialogs[dialogs.length - 1] || document.querySelector(".gradio-container") || document.body;
        shelf ||= pc.make("div", {class: "payload-capture-toasts", popover: "manual", role: "status"});
        if (shelf.parentElement !== place) place.append(shelf);
        if (shelf.matches(":popover-open")) shelf.hidePopover(); // to the top again
        shelf.showPopover();
        return shelf;
    }

    /** Take the toasts along when a dialog has opened or closed. */
    function placeToasts() {
        if (shelf && shelf.childElementCount) shown();
    }

    /**
     * Say something for some seconds; what is `bad` names a cause and stays until it is closed.
     * What is `lasting` stays until it is taken away. `action` is {text, label, act}: a button that
     * acts once. Returns what takes the toast away.
     */
    function toast(text, {bad = false, lasting = false, action = null} = {}) {
        const away = () => {
            clearTimeout(timer);
            said.remove();
            if (shelf && !shelf.childElementCount && shelf.matches(":popover-open")) shelf.hidePopover();
        };
        const once = () => {
            away();
            action.act();
        };
        const said = pc.make("div", {class: `pc-toast ${bad ? "pc-bad" : ""}`},
            pc.make("span", {dir: "auto"}, text),
            action ? pc.button(action.text, action.label, once, "pc-small") : null,
            pc.button("×", pc.t("Close the message"), away, "pc-small"));
        const timer = bad || lasting ? 0 : setTimeout(away, SECONDS * 1000);
        shown().append(said);
        return away;
    }

    Object.assign(pc, {toast, placeToasts});
})((window.payloadCapture = window.payloadCapture || {}));
