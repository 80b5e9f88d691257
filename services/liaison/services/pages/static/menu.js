// On a telephone the menu is one line to be moved along. What the keyboard reaches there is moved into view whole: Chromium
// leaves where it is what shows at its edge by a few points.
document.querySelector(".liaison-navigation ul")?.addEventListener("focusin", (event) => {
  event.target.scrollIntoView({ block: "nearest", inline: "nearest" });
});
