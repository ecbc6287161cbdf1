(() => {
  const { today, yesterday } = document.currentScript.dataset;
  const language = document.documentElement.lang;
  const locale = language === "en" ? "en-GB" : language;
  window.showLocalTimes = () => {
    const now = new Date();
    const before = new Date();
    before.setDate(now.getDate() - 1);
    for (const time of document.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (isNaN(at)) continue;
      const clock = at.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", hour12: false });
      const date = { day: "numeric", month: "long" };
      if (at.getFullYear() !== now.getFullYear()) date.year = "numeric";
      const day = at.toLocaleDateString(locale, date);
      if (at.toDateString() === now.toDateString()) time.textContent = today.replace("{time}", clock);
      else if (at.toDateString() === before.toDateString()) time.textContent = yesterday.replace("{time}", clock);
      else time.textContent = "precise" in time.dataset ? `${day}, ${clock}` : day;
      time.title = at.toLocaleString(locale, { dateStyle: "full", timeStyle: "long" });
    }
  };
  window.showLocalTimes();
})();
