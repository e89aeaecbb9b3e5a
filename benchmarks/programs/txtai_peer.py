"""txtai with its defaults and the same model."""

from protocol import main, model_folder


class Txtai:
    def load(self):
        from txtai.embeddings import Embeddings

        self.embeddings = Embeddings(path=model_folder(), content=False, gpu=False)

    def build(self, texts, folder):
        self.embeddings.index([(place, text, None) for place, text in enumerate(texts)])
        self.embeddings.save(f"{folder}/index")

    def open(self, folder):
        self.embeddings.load(f"{folder}/index")

    def search(self, question, k):
        return [int(place) for place, _ in self.embeddings.search(question, k)]


if __name__ == "__main__":
    main(Txtai())
