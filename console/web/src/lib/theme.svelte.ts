// Light or dark: as the system has it, unless one chose.
type Choice = "auto" | "light" | "dark";

function stored(): Choice {
  try {
    const choice = localStorage.getItem("lode-theme");
    return choice === "light" || choice === "dark" ? choice : "auto";
  } catch {
    return "auto";
  }
}

class Theme {
  choice = $state<Choice>(stored());
  #system = matchMedia("(prefers-color-scheme: dark)");
  dark = $state(false);

  start(): void {
    this.#apply();
    this.#system.addEventListener("change", () => this.#apply());
  }

  next(): void {
    this.choice = this.dark ? "light" : "dark";
    try {
      localStorage.setItem("lode-theme", this.choice);
    } catch {
      // it holds for this visit
    }
    this.#apply();
  }

  #apply(): void {
    this.dark = this.choice === "dark" || (this.choice === "auto" && this.#system.matches);
    document.documentElement.dataset.theme = this.dark ? "dark" : "light";
  }
}

export const theme = new Theme();
