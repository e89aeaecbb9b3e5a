"""LlamaIndex: HuggingFaceEmbedding and its FAISS store."""

from protocol import main, model_folder


class LlamaIndex:
    def load(self):
        import faiss
        from llama_index.core import Settings
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        self.faiss = faiss
        Settings.embed_model = HuggingFaceEmbedding(model_name=model_folder(), device="cpu")
        Settings.llm = None

    def build(self, texts, folder):
        from llama_index.core import StorageContext, VectorStoreIndex
        from llama_index.core.schema import TextNode
        from llama_index.vector_stores.faiss import FaissVectorStore

        store = FaissVectorStore(faiss_index=self.faiss.IndexFlatIP(384))
        context = StorageContext.from_defaults(vector_store=store)
        nodes = [TextNode(text=text, id_=str(place)) for place, text in enumerate(texts)]
        VectorStoreIndex(nodes, storage_context=context).storage_context.persist(folder)

    def open(self, folder):
        from llama_index.core import StorageContext, load_index_from_storage
        from llama_index.vector_stores.faiss import FaissVectorStore

        store = FaissVectorStore.from_persist_dir(folder)
        self.index = load_index_from_storage(StorageContext.from_defaults(vector_store=store, persist_dir=folder))

    def search(self, question, k):
        found = self.index.as_retriever(similarity_top_k=k).retrieve(question)
        return [int(item.node.node_id) for item in found]


if __name__ == "__main__":
    main(LlamaIndex())
