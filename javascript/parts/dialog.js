// Dialogs over the page: the focus stays in them and goes back where it was, Escape closes them.
((pc) => {
    "use strict";

    const FOCUSABLE = "button, select, summary, input, textarea, a[href], [tabindex='0']";

    /** From the last place in a dialog the focus goes to the first: else the browser's bars have it. */
    function turn(event, dialog) {
        if (event.key !== "Tab") return;
        const places = [...dialog.querySelectorAll(FOCUSABLE)]
            .filter((place) => !place.disabled && place.getClientRects().length);
        const [edge, other] = event.shiftKey ? [places[0], places[places.length - 1]] : [places[places.length - 1], places[0]];
        if (document.activeElement !== edge) return;
        event.preventDefault();
        other.focus();
    }

    /** Show a <dialog> over the page; when it closes, however it does, it is gone and `onclose` told. */
    function showDialog(dialog, onclose = () => {}) {
        // The webui's own keys (Ctrl+Enter generates, Escape interrupts) are not meant meanwhile.
        dialog.addEventListener("keydown", (event) => {
            event.stopPropagation();
            turn(event, dialog);
        });
        closeOutside(dialog);
        dialog.addEventListener("close", () => {
            pc.placeToasts();
            dialog.remove();
            onclose();
        });
        const themed = document.querySelector(".gradio-container"); // has the theme's fonts and colours
        (themed || document.body).append(dialog);
        dialog.showModal();
        pc.placeToasts();
    }

    /** A press outside closes a dialog, but not the end of a drag that began in it. */
    function closeOutside(dialog) {
        let began = false;
        const outside = ({target, clientX, clientY}) => {
            const {left, right, top, bottom} = dialog.getBoundingClientRect();
            return target === dialog && !(clientX > left && clientX < right && clientY > top && clientY < bottom);
        };
        dialog.addEventListener("pointerdown", (event) => (began = outside(event)));
        dialog.addEventListener("click", (event) => began && outside(event) && dialog.close());
    }

    /** A dialog with a title and a Close button; fill its `body`. */
    function openDialog(title, onclose) {
        const heading = pc.make("h2", {}, title);
        const shut = pc.button(pc.t("Close"), "", () => dialog.close());
        const head = pc.make("div", {class: "pc-dialog-head"}, heading, shut);
        const body = pc.make("div", {class: "pc-dialog-body"});
        const inner = pc.make("div", {class: "payload-capture"}, head, body);
        const dialog = pc.make("dialog", {class: "payload-capture-dialog pc-wide", "aria-label": title}, inner);
        showDialog(dialog, onclose);
        return {dialog, body};
    }

    Object.assign(pc, {openDialog, showDialog});
})((window.payloadCapture = window.payloadCapture || {}));
