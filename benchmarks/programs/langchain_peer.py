"""LangChain: HuggingFaceEmbeddings and its FAISS store."""

from protocol import main, model_folder


class LangChain:
    def load(self):
        from langchain_community.vectorstores import FAISS
        from langchain_huggingface import HuggingFaceEmbeddings

        self.store_class = FAISS
        self.embeddings = HuggingFaceEmbeddings(
            model_name=model_folder(), model_kwargs={"device": "cpu"}, encode_kwargs={"normalize_embeddings": True}
        )

    def build(self, texts, folder):
        numbers = [{"place": place} for place in range(len(texts))]
        self.store_class.from_texts(texts, self.embeddings, metadatas=numbers).save_local(folder)

    def open(self, folder):
        self.store = self.store_class.load_local(folder, self.embeddings, allow_dangerous_deserialization=True)

    def search(self, question, k):
        return [document.metadata["place"] for document in self.store.similarity_search(question, k=k)]


if __name__ == "__main__":
    main(LangChain())
